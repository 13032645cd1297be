import { lstat, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../kernel/errors.ts";
import { signalGroup, startOf } from "./process-identity.ts";

interface ProcessName {
  readonly pid: number;
  /** Start time as the system tells it: with the pid it names one process for good. */
  readonly start: string;
}

/** Other files in the same directory are none of ours. */
const SUFFIX = ".process.json";

export interface RecordsOptions {
  readonly directory: string;
  readonly session: string;
}

/** Of this user alone, and gone with the machine's next start where the system has such a place. */
export function defaultStateDirectory(env: NodeJS.ProcessEnv): string {
  const runtime = env["XDG_RUNTIME_DIR"];
  if (runtime !== undefined && runtime !== "") return join(runtime, "kserve-local");
  return join(tmpdir(), `kserve-local-${userInfo().uid}`);
}

/**
 * One small file for each process group of ours, so that a later session can end what this one, killed, has left. The
 * watchdog does so within a second; this is for when it was killed too.
 */
export class ProcessRecords {
  readonly #options: RecordsOptions;
  #opened: Promise<void> | undefined;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  /** Makes the directory. Rejects where it can't be ours alone: whoever writes there says what we kill. */
  open(): Promise<void> {
    this.#opened ??= openPrivate(this.#options.directory);
    return this.#opened;
  }

  path(pid: number): string {
    return join(this.#options.directory, `${this.#options.session}-${pid}${SUFFIX}`);
  }

  /** Does nothing where a process can't be named for good, or the directory isn't ours. */
  async add(pid: number, name: string): Promise<void> {
    const [start, ownStart] = await Promise.all([startOf(pid), startOf(process.pid)]);
    if (start === undefined || ownStart === undefined) return;
    const owner = { pid: process.pid, start: ownStart };
    const file = this.path(pid);
    try {
      await this.open();
      // Renamed when complete, so that no sweep reads half of it.
      await writeFile(
        `${file}.part`,
        JSON.stringify({ pid, start, owner, session: this.#options.session, name }),
        {
          mode: 0o600,
        },
      );
      await rename(`${file}.part`, file);
    } catch {
      // Reported by `open` to who prepares; the watchdog still guards the process.
    }
  }

  async remove(pid: number): Promise<void> {
    await rm(this.path(pid), { force: true }).catch(() => undefined);
  }

  /** Ends the groups of owners that are gone; the number of groups ended. */
  async sweep(): Promise<number> {
    try {
      await this.open();
    } catch {
      return 0;
    }
    const files = (await readdir(this.#options.directory)).filter((name) => name.endsWith(SUFFIX));
    const swept = await Promise.all(files.map((name) => sweepOne(join(this.#options.directory, name))));
    return swept.filter(Boolean).length;
  }
}

async function sweepOne(file: string): Promise<boolean> {
  try {
    const record = readRecord(await readFile(file, "utf8"));
    if ((await startOf(record.owner.pid)) === record.owner.start) return false;
    const isSame = (await startOf(record.pid)) === record.start;
    const ended = isSame && signalGroup(record.pid, "SIGKILL");
    await rm(file, { force: true });
    return ended;
  } catch {
    // Not a record (any more), or someone else swept it: nothing to end, and nothing worth keeping.
    await rm(file, { force: true }).catch(() => undefined);
    return false;
  }
}

/** Throws where the text is no record: what it says decides what is killed. */
function readRecord(text: string): ProcessName & { readonly owner: ProcessName } {
  const record = JSON.parse(text) as { owner?: unknown };
  return { ...processName(record), owner: processName(record.owner) };
}

function processName(value: unknown): ProcessName {
  const { pid, start } = (value ?? {}) as Partial<Record<keyof ProcessName, unknown>>;
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0)
    throw new TypeError("a record without a pid");
  if (typeof start !== "string" || start === "") throw new TypeError("a record without a start time");
  return { pid, start };
}

async function openPrivate(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const stats = await lstat(directory);
    if (process.platform === "win32") return;
    const isOurs = stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0;
    if (!isOurs) throw new Error("it is open to other users");
  } catch (error) {
    throw new Error(`can't keep records in ${directory}: ${messageOf(error)}`, { cause: error });
  }
}
