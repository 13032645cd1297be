/**
 * What tests against a real engine start with: the engine itself, base images, and a small image with this machine's
 * own node in it. Where one can't be had, tests are skipped with a printed reason; with CI or
 * KSERVE_LOCAL_REQUIRE_ENGINE set that is a failure instead.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { Readable } from "node:stream";
import Docker from "dockerode";
import { pack } from "tar-stream";

export interface RequiredEngine {
  /** A client in any case; nothing answers it where `missing` is true. */
  readonly docker: Docker;
  /** For `describe.skipIf(engine.missing)`. */
  readonly missing: boolean;
}

/** At the top of a test file: `const engine = await requireEngine()`. Throws where an engine is required and none answers. */
export async function requireEngine(): Promise<RequiredEngine> {
  const docker = new Docker();
  try {
    await docker.ping();
    return { docker, missing: false };
  } catch (error) {
    return {
      docker,
      missing: reportMissing(`no container engine answers (${messageOf(error)}); see npm run engine`),
    };
  }
}

/**
 * True where one of the images is neither there nor to be pulled, for `describe.skipIf`. Throws where an engine is
 * required. scripts/base-images.sh makes stand-ins where no registry is in reach.
 */
export async function imagesMissing(docker: Docker, references: readonly string[]): Promise<boolean> {
  for (const reference of references) {
    if (await isPresent(docker, reference)) continue;
    try {
      await finished(docker, await docker.pull(reference, { platform: "linux/amd64" }));
    } catch (error) {
      return reportMissing(
        `image ${reference} is missing and can't be pulled (${messageOf(error)}); see npm run base-images`,
      );
    }
  }
  return false;
}

/**
 * Name of a small image with `node` in its PATH and nothing else to speak of: no shell, no npm, user root, `/tmp`
 * writable. On Linux it holds this machine's node and its libraries, made in about two seconds and kept in the engine for
 * later runs; elsewhere it is the public one.
 */
export async function ensureHostNodeImage(docker: Docker = new Docker()): Promise<string> {
  if (process.platform !== "linux") {
    const reference = "node:22-slim";
    if (!(await isPresent(docker, reference))) {
      await finished(docker, await docker.pull(reference, { platform: "linux/amd64" }));
    }
    return reference;
  }
  const repo = "localhost/kserve-local-test/hostnode";
  const tag = process.versions.node;
  if (await isPresent(docker, `${repo}:${tag}`)) return `${repo}:${tag}`;
  const changes = ["ENV PATH=/usr/local/bin", 'CMD ["node"]', "LABEL dev.kserve-local.test-image=hostnode"];
  await finished(
    docker,
    await docker.importImage(hostNodeTree(), { repo, tag, changes, platform: "linux/amd64" }),
  );
  return `${repo}:${tag}`;
}

/** The root file system as a tar stream: node, the libraries that its loader asks for, users, /tmp. */
function hostNodeTree(): Readable {
  const tree = pack();
  const node = realpathSync(process.execPath);
  tree.entry({ name: "tmp/", type: "directory", mode: 0o1777 });
  tree.entry({ name: "etc/passwd" }, "root:x:0:0:root:/:/bin/false\nnode:x:1000:1000:node:/tmp:/bin/false\n");
  tree.entry({ name: "etc/group" }, "root:x:0:\nnode:x:1000:\n");
  tree.entry({ name: "usr/local/bin/node", mode: 0o755 }, readFileSync(node));
  for (const library of librariesOf(node)) {
    tree.entry({ name: library.slice(1), mode: 0o755 }, readFileSync(library));
  }
  tree.finalize();
  return Readable.from(tree);
}

/** Absolute paths from `ldd`: `libm.so.6 => /lib/libm.so.6 (0x…)` and the loader's own `/lib64/ld-linux….so.2 (0x…)`. */
function librariesOf(program: string): string[] {
  const lines = execFileSync("ldd", [program], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => /(?:=>\s+|^\s*)(\/\S+) \(0x/.exec(line)?.slice(1, 2) ?? []);
}

async function isPresent(docker: Docker, reference: string): Promise<boolean> {
  try {
    await docker.getImage(reference).inspect();
    return true;
  } catch {
    return false;
  }
}

/** Reads the engine's progress to its end; an error in the middle of it rejects. */
function finished(docker: Docker, progress: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(progress, (error) => (error ? reject(error) : resolve()));
  });
}

/** Prints why tests are skipped and says true; throws where skipping is not allowed. */
function reportMissing(reason: string): true {
  if (isSet("CI") || isSet("KSERVE_LOCAL_REQUIRE_ENGINE")) throw new Error(reason);
  process.stderr.write(`Skipped: ${reason}\n`);
  return true;
}

function isSet(name: string): boolean {
  return !["", "0", "false", undefined].includes(process.env[name]);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
