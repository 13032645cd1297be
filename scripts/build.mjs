// Brings a checkout to the point where dist/ can run: `npm ci` when node_modules does not match package-lock.json,
// the compiler when dist/ is older than the sources. Plain Node without dependencies, because it runs before there are any.
import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const src = join(root, "src");
const dist = join(root, "dist");
const entry = join(dist, "cli", "main.js");
/** Written after a build without errors: the compiler emits files even where it found some. */
const stamp = join(root, ".cache", "built");

/** Ends the process with the command's exit code where it fails; its output goes to stderr, stdout is the program's. */
export function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", 2, 2],
    ...options,
  });
  if (status === 0) return;
  const how = error ? error.message : signal ? `ended by ${signal}` : `exit code ${status}`;
  process.stderr.write(`${[command, ...args].join(" ")}: ${how}\n`);
  process.exit(status ?? 1);
}

/** Installs exactly what package-lock.json says, unless that is what is there. */
export function ensureInstalled() {
  if (installMatchesLock()) return;
  process.stderr.write("Installing dependencies (npm ci)\n");
  // No install scripts: the only one is ssh2's native add-on, which dockerode does without.
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { shell: process.platform === "win32" });
}

function installMatchesLock() {
  const wanted = readPackages(join(root, "package-lock.json"));
  const present = readPackages(join(root, "node_modules", ".package-lock.json"));
  return Object.entries(wanted).every(
    ([path, entry]) => path === "" || entry.optional || present[path]?.version === entry.version,
  );
}

function readPackages(file) {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")).packages ?? {}) : {};
}

/** Compiles src/ to dist/ unless that is done; `force` compiles anyway. */
export function ensureBuilt({ force = false } = {}) {
  const inputs = [
    ...filesUnder(src),
    ...["tsconfig.json", "tsconfig.build.json", "package-lock.json"].map((name) => join(root, name)),
  ];
  const newest = Math.max(...inputs.map((file) => statSync(file).mtimeMs));
  if (!force && existsSync(entry) && existsSync(stamp) && statSync(stamp).mtimeMs >= newest) return;
  process.stderr.write("Building (tsc)\n");
  const started = new Date();
  run(process.execPath, [
    join(root, "node_modules", "typescript", "bin", "tsc"),
    "-p",
    "tsconfig.build.json",
  ]);
  removeStale();
  for (const file of filesUnder(src)) {
    // What is no source comes along as it is.
    if (!file.endsWith(".ts")) cpSync(file, join(dist, relative(src, file)));
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, "");
  // The time at which the build began: a file saved meanwhile counts as newer.
  utimesSync(stamp, started, started);
}

/** Output whose source is gone would still be packed and imported. */
function removeStale() {
  for (const file of filesUnder(dist)) {
    const source = join(src, relative(dist, file));
    const candidates = [source, source.replace(/\.js(\.map)?$/, ".ts")];
    if (!candidates.some((candidate) => existsSync(candidate))) rmSync(file);
  }
}

function filesUnder(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => join(found.parentPath, found.name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  ensureInstalled();
  ensureBuilt({ force: true });
}
