/**
 * `--env-file`: NAME=value lines. `#` begins a comment at the start of a line or after a space; a value in quotes is
 * taken as it stands, over several lines if need be (in double quotes `\n` is a new line). What is no such line is
 * refused: a variable that is silently missing costs more than an error.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { KserveLocalError } from "../kernel/errors.ts";

const RESERVED = new Set(["PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"]);
const ENTRY = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=[^\S\n]*/y;
const BLANK = /^\s*(?:#.*)?$/;

/** Later files win. @throws KserveLocalError `usage` */
export async function readEnvFiles(
  files: readonly string[],
  cwd: string,
): Promise<ReadonlyArray<readonly [string, string]>> {
  const env = new Map<string, string>();
  for (const file of files) {
    let text: string;
    try {
      text = await readFile(path.resolve(cwd, file), "utf8");
    } catch (error) {
      throw new KserveLocalError("usage", {
        what: `the file ${file} given by --env-file can't be read`,
        why: (error as Error).message,
        fix: "name a file with NAME=value lines",
        cause: error,
      });
    }
    for (const [name, value] of parseEnvFile(text, file)) env.set(name, value);
  }
  return [...env];
}

/** @throws KserveLocalError `usage` with the line of the first entry that is none */
export function parseEnvFile(text: string, file: string): ReadonlyArray<readonly [string, string]> {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const entries: Array<readonly [string, string]> = [];
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (BLANK.test(line)) continue;
    ENTRY.lastIndex = 0;
    const match = ENTRY.exec(line);
    const name = match?.[1];
    if (match === null || name === undefined)
      throw refused(file, index, `"${line.trim()}" is not NAME=value`);
    if (RESERVED.has(name)) throw reserved(file, index, name);
    const rest = line.slice(match[0].length);
    const quote = rest[0];
    if (quote !== '"' && quote !== "'" && quote !== "`") {
      entries.push([name, rest.replace(/(?:^|\s)#.*$/, "").trim()]);
      continue;
    }
    const start = index;
    let body = rest.slice(1);
    while (!body.includes(quote)) {
      index += 1;
      if (index >= lines.length) throw refused(file, start, `the quote of ${name} is never closed`);
      body += `\n${lines[index] ?? ""}`;
    }
    const end = body.indexOf(quote);
    if (!BLANK.test(body.slice(end + 1)))
      throw refused(file, index, `something follows the closing quote of ${name}`);
    const value = body.slice(0, end);
    entries.push([name, quote === '"' ? value.replaceAll("\\n", "\n") : value]);
  }
  return entries;
}

function refused(file: string, index: number, what: string): KserveLocalError {
  return new KserveLocalError("usage", {
    what,
    fix: "write NAME=value; a value with spaces around # goes in quotes",
    at: { file, line: index + 1 },
  });
}

function reserved(file: string, index: number, name: string): KserveLocalError {
  return new KserveLocalError("usage", {
    what: `${name} is set by the platform`,
    why: "PORT, K_SERVICE, K_REVISION and K_CONFIGURATION are reserved, as on a cluster",
    fix:
      name === "PORT"
        ? "take the line out; the port is spec.template.spec.containers[].ports[].containerPort"
        : "take the line out",
    at: { file, line: index + 1 },
  });
}
