import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes files below a directory, making what is missing on the way. */
export async function writeTree(
  root: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
}

/** The tree that the ignore rules below are applied to; `.dockerignore` holds the rules. */
export const contextFiles: Readonly<Record<string, string>> = {
  Dockerfile: "FROM scratch\nCOPY . /\n",
  "app.js": "1",
  "app.log": "2",
  "src/a.ts": "3",
  "src/deep/b.ts": "4",
  "src/deep/b.log": "5",
  "node_modules/left/index.js": "6",
  "node_modules/keep/index.js": "7",
  "docs/readme.md": "8",
  "docs/guide/intro.md": "9",
  ".env": "10",
};

export interface IgnoreCase {
  readonly title: string;
  readonly rules: string;
  /** Files that don't belong. */
  readonly gone: readonly string[];
  /** What the docker CLI drops as well for the classic builder, which doesn't look for exceptions with wildcards below. */
  readonly goneInClassic?: readonly string[];
}

const modules = ["node_modules/left/index.js", "node_modules/keep/index.js"];
const docs = ["docs/readme.md", "docs/guide/intro.md"];
const everything = Object.keys(contextFiles).filter((path) => path !== "Dockerfile");
const allBut = (...kept: string[]): string[] => everything.filter((path) => !kept.includes(path));

export const ignoreCases: readonly IgnoreCase[] = [
  { title: "no rules", rules: "", gone: [] },
  { title: "a comment and blank lines", rules: "# app.js\n\n   \n", gone: [] },
  { title: "a directory", rules: "node_modules", gone: modules },
  { title: "a leading slash and a trailing one", rules: "/docs/\n", gone: docs },
  { title: "a name counts at the top only", rules: "*.log", gone: ["app.log"] },
  { title: "** counts at any depth", rules: "**/*.log", gone: ["app.log", "src/deep/b.log"] },
  { title: "a directory at any depth", rules: "**/deep", gone: ["src/deep/b.ts", "src/deep/b.log"] },
  { title: "everything below", rules: "src/**", gone: ["src/a.ts", "src/deep/b.ts", "src/deep/b.log"] },
  { title: "CRLF and spaces around", rules: "  app.js  \r\ndocs\r\n", gone: ["app.js", ...docs] },
  { title: "a byte order mark", rules: "\uFEFFapp.js", gone: ["app.js"] },
  { title: "the Dockerfile stays although excluded", rules: "Dockerfile\napp.js", gone: ["app.js"] },
  {
    title: "an exception inside an excluded directory",
    rules: "node_modules\n!node_modules/keep",
    gone: ["node_modules/left/index.js"],
  },
  {
    title: "a wildcard exception",
    rules: "docs\n!docs/*/intro.md",
    gone: ["docs/readme.md"],
    goneInClassic: ["docs/guide/intro.md"],
  },
  { title: "a space after the exclamation mark", rules: "docs\n! docs/guide", gone: ["docs/readme.md"] },
  { title: "the last line wins", rules: "*.js\n!app.js\napp.js", gone: ["app.js"] },
  { title: "everything but", rules: "*\n!src/a.ts", gone: allBut("src/a.ts") },
  {
    title: "everything but a directory",
    rules: "*\n!src\nsrc/deep/*.log",
    gone: allBut("src/a.ts", "src/deep/b.ts"),
  },
  { title: "an exception that matches nothing", rules: "docs\n!docs/none", gone: docs },
  { title: "case counts", rules: "APP.JS", gone: [] },
  { title: "dots are literal", rules: "appxjs\nsrc/deep/b.l.g", gone: [] },
  { title: "one character", rules: "app.l?g", gone: ["app.log"] },
  { title: "a class", rules: "app.[jl]*", gone: ["app.js", "app.log"] },
  { title: "a path that isn't in normal form", rules: "./src/../app.js", gone: ["app.js"] },
  { title: "an escaped character", rules: "app\\.js", gone: ["app.js"] },
];
