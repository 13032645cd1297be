/**
 * Looks whether the container's program can be executed at all. An init process in front of the app, and scripts and
 * foreign binaries in any case, make the engine report a *successful* start of what can't run, with no more than
 * "no such file or directory" in the log.
 */
import type { ImageFile, ImageFiles } from "./image-files.ts";
import {
  commandMissing,
  foreignProgram,
  interpreterMissing,
  loaderMissing,
  notExecutable,
  type StartVerdict,
} from "./start-failure.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const LONGEST_CHAIN = 10;
const ELF_X86_64 = 62;
const ELF_MACHINES: Readonly<Record<number, string>> = {
  3: "386",
  40: "arm",
  183: "arm64",
  243: "riscv64",
  21: "ppc64le",
  22: "s390x",
};

/** Undefined: nothing wrong was found. Throws what `files` throws. */
export async function inspectProgram(
  files: ImageFiles,
  program: string,
  search: { readonly path: string | undefined; readonly workingDir: string },
): Promise<StartVerdict | undefined> {
  const found = await locate(files, program, search);
  if (found === undefined) return commandMissing(program);
  if (found.file.isDirectory || !found.file.executable) return notExecutable(program);
  const head = await files.head(found.path);
  if (head.toString("latin1", 0, 4) === "\x7fELF") return inspectElf(files, program, head);
  if (head.toString("latin1", 0, 2) === "#!") return inspectScript(files, program, head);
  return undefined;
}

interface Located {
  readonly path: string;
  readonly file: ImageFile;
}

async function locate(
  files: ImageFiles,
  program: string,
  search: { readonly path: string | undefined; readonly workingDir: string },
): Promise<Located | undefined> {
  if (program.includes("/"))
    return resolve(files, program.startsWith("/") ? program : `${search.workingDir}/${program}`);
  let unsuitable: Located | undefined;
  for (const folder of (search.path ?? DEFAULT_PATH).split(":")) {
    const found = await resolve(files, `${folder}/${program}`);
    if (found === undefined || found.file.isDirectory) continue;
    if (found.file.executable) return found;
    unsuitable ??= found;
  }
  return unsuitable;
}

async function resolve(files: ImageFiles, start: string): Promise<Located | undefined> {
  let path = start;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    const file = await files.stat(path);
    if (file?.target === undefined) return file === undefined ? undefined : { path, file };
    path = file.target;
  }
  return undefined;
}

async function inspectScript(
  files: ImageFiles,
  script: string,
  head: Buffer,
): Promise<StartVerdict | undefined> {
  const line =
    head
      .toString("utf8", 2)
      .split("\n", 1)[0]
      ?.replace(/^[ \t]+/, "") ?? "";
  const interpreter = line.split(/[ \t]/, 1)[0] ?? "";
  return interpreter === "" || (await resolve(files, interpreter)) !== undefined
    ? undefined
    : interpreterMissing(script, interpreter);
}

/** ELF64, little endian: e_machine at 18, program headers from e_phoff (32); type 3 names the loader. */
async function inspectElf(
  files: ImageFiles,
  program: string,
  head: Buffer,
): Promise<StartVerdict | undefined> {
  if (head.length < 64) return undefined;
  const machine = head.readUInt16LE(18);
  if (machine !== ELF_X86_64)
    return foreignProgram(program, `linux/${ELF_MACHINES[machine] ?? `machine ${machine}`}`);
  const loader = loaderOf(head);
  return loader === undefined || (await resolve(files, loader)) !== undefined
    ? undefined
    : loaderMissing(program, loader);
}

function loaderOf(head: Buffer): string | undefined {
  const start = Number(head.readBigUInt64LE(32));
  const size = head.readUInt16LE(54);
  for (let index = 0; index < head.readUInt16LE(56); index += 1) {
    const entry = start + index * size;
    if (entry + 56 > head.length) return undefined;
    if (head.readUInt32LE(entry) !== 3) continue;
    const offset = Number(head.readBigUInt64LE(entry + 8));
    const length = Number(head.readBigUInt64LE(entry + 32));
    return offset + length > head.length ? undefined : head.toString("utf8", offset, offset + length - 1);
  }
  return undefined;
}
