/** A private registry on loopback, for the length of a test file: Debian's docker-registry with one account. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import type Docker from "dockerode";

export interface Registry {
  /** `127.0.0.1:<port>` */
  readonly host: string;
  readonly username: string;
  readonly password: string;
  /** Tags the local image, pushes it and forgets the tag: `<host>/<name>`. */
  push(docker: Docker, image: string, name: string): Promise<string>;
  stop(): Promise<void>;
}

const REGISTRY = "docker-registry";
const HTPASSWD = "htpasswd";

/** Undefined where the programs are missing; throws instead with CI set. */
export async function startRegistry(): Promise<Registry | undefined> {
  if (![REGISTRY, HTPASSWD].every(isInstalled)) {
    const reason = "docker-registry or htpasswd (apache2-utils) is not installed";
    if (process.env["CI"] !== undefined) throw new Error(reason);
    process.stderr.write(`Skipped: ${reason}\n`);
    return undefined;
  }
  const folder = mkdtempSync(path.join(tmpdir(), "kserve-local-registry-"));
  const [username, password] = ["alice", `pw-${process.pid}-s3cret`];
  const accounts = path.join(folder, "htpasswd");
  writeFileSync(accounts, execFileSync(HTPASSWD, ["-Bbn", username, password]));
  const host = `127.0.0.1:${await freePort()}`;
  const config = path.join(folder, "config.yml");
  writeFileSync(
    config,
    JSON.stringify({
      version: "0.1",
      storage: { filesystem: { rootdirectory: path.join(folder, "data") }, delete: { enabled: true } },
      http: { addr: host },
      auth: { htpasswd: { realm: "test", path: accounts } },
    }),
  );
  const child = spawn(REGISTRY, ["serve", config], { stdio: "ignore" });
  await answering(`http://${host}/v2/`);
  const authconfig = { username, password, serveraddress: host };
  return {
    host,
    username,
    password,
    push: async (docker, image, name) => {
      const [repo = "", tag = "latest"] = name.split(":");
      await docker.getImage(image).tag({ repo: `${host}/${repo}`, tag });
      const pushed = await docker.getImage(`${host}/${repo}:${tag}`).push({ authconfig });
      await new Promise((resolve, reject) =>
        pushed
          .on("data", () => undefined)
          .on("end", resolve)
          .on("error", reject),
      );
      await docker.getImage(`${host}/${repo}:${tag}`).remove();
      return `${host}/${repo}:${tag}`;
    },
    stop: async () => {
      await ended(child);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isInstalled(program: string): boolean {
  try {
    execFileSync("which", [program], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill();
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
