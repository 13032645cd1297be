/** Runs the commands of an example's README in a copy of its folder, with the built CLI as `kserve-local` in the PATH. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { matchesExpected, readmeCommands } from "./readme.ts";
import { startSession, type Session } from "./session.ts";

const repository = fileURLToPath(new URL("../..", import.meta.url));
/** The port that the READMEs and manifests name; each run gets one of its own in its place. */
const WRITTEN_PORT = 8080;
const COMMAND_LIMIT_MS = 60_000;

export interface ExampleRun {
  /** Ids of the sessions that `kserve-local up` opened. */
  readonly sessions: readonly string[];
}

/** `path` is a folder of the repository, as in `examples/hello-node`. Rejects with the command, its line in the README and what happened instead. Resolves when everything has ended. */
export async function runExample(path: string, engine: "docker" | "process"): Promise<ExampleRun> {
  const port = await freePort();
  const folder = await prepareFolder(path, port);
  const example = join(folder, path);
  const readme = await readFile(join(example, "README.md"), "utf8");
  const manifest = await readFile(join(example, "service.yaml"), "utf8");
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    PATH: `${join(folder, "bin")}:${process.env.PATH ?? ""}`,
    KSERVE_LOCAL_ENGINE: engine,
    KSERVE_LOCAL_PORT: String(port),
    KSERVE_LOCAL_OUTPUT: "json",
  };
  const sessions: Session[] = [];
  for (const { command, expected, line } of readmeCommands(readme)) {
    const where = `${path}/README.md:${line}: ${command}`;
    if (/^kserve-local up\b/.test(command)) {
      const session = startSession(command, { cwd: example, env });
      onTestFinished(() => session.kill());
      await session.ready(manifest.match(/^kind: Service$/gm)?.length ?? 0);
      sessions.push(session);
      continue;
    }
    const { code, stdout, stderr } = await runCommand(command, example, env);
    const said = `\n${stdout}${stderr}${sessions.map((session) => session.tail()).join("")}`;
    if (code !== 0) throw new Error(`${where}\nended with ${String(code)}:${said}`);
    if (expected.length > 0 && !matchesExpected(stdout, expected)) {
      throw new Error(`${where}\nexpected:\n${expected.join("\n")}\nbut it printed:${said}`);
    }
  }
  if (sessions.length === 0) throw new Error(`${path}/README.md starts nothing`);
  return { sessions: await Promise.all(sessions.map((session) => session.interrupt())) };
}

/** A temporary folder with `bin/kserve-local` and a copy of the example, its port exchanged. */
async function prepareFolder(example: string, port: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "kserve-local-example-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const shim = join(folder, "bin", "kserve-local");
  await mkdir(join(folder, "bin"));
  await writeFile(
    shim,
    `#!/bin/sh\nexec '${process.execPath}' '${join(repository, "bin", "kserve-local.js")}' "$@"\n`,
  );
  await chmod(shim, 0o755);
  await cp(join(repository, example), join(folder, example), { recursive: true });
  for (const file of ["README.md", "service.yaml"]) {
    const path = join(folder, example, file);
    const text = await readFile(path, "utf8");
    await writeFile(
      path,
      text.replaceAll(new RegExp(`(localhost|127\\.0\\.0\\.1):${WRITTEN_PORT}`, "g"), `$1:${port}`),
    );
  }
  return folder;
}

async function runCommand(
  command: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn("bash", ["-c", command], {
    cwd,
    env,
    stdio: ["ignore", "pipe", "pipe"],
    timeout: COMMAND_LIMIT_MS,
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
