/** `up` and `test` as processes, with the process engine: what does not need a container. */
import { once } from "node:events";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import path from "node:path";
import { expect, test } from "vitest";
import { kserveLocal, project } from "../support/cli.ts";
import { BEHAVING_SERVER, NODE_DOCKERFILE, serviceYaml } from "../support/service-yaml.ts";

const PROCESS = ["--engine", "process", "--port", "0"];
const plain = { "service.yaml": serviceYaml(), Dockerfile: NODE_DOCKERFILE, "server.js": BEHAVING_SERVER };

const get = async (
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; reason: string | null }> => {
  const response = await fetch(url, { headers });
  return {
    status: response.status,
    body: await response.text(),
    reason: response.headers.get("x-kserve-local-reason"),
  };
};

test("up serves, goes to zero by itself, serves again, and ends with 130 on Ctrl-C", async () => {
  const cwd = await project(plain);
  const cli = kserveLocal(["up", "--time-scale", "50", ...PROCESS], { cwd });
  const url = await cli.ready();
  expect((await get(url)).body).toContain(`"revision":"hello-00001"`);
  const first = await cli.event("instance.state", ({ to }) => to === "gone");
  expect((await get(url)).status).toBe(200);
  const cold = await cli.event("request.completed", ({ coldStart }) => coldStart === true);
  expect(cold).toMatchObject({
    service: "hello",
    revision: "hello-00001",
    method: "GET",
    path: "/",
    status: 200,
  });
  expect(cold["instance"]).not.toBe(first["instance"]);
  expect(cold["durationMs"]).toBeGreaterThanOrEqual(cold["queuedMs"] as number);
  expect(await cli.end()).toBe(130);
  expect(cli.events.filter(({ type, to }) => type === "instance.state" && to === "gone")).toHaveLength(2);
});

test("a manifest on stdin, its command and its environment", async () => {
  const cwd = await project({ "server.js": BEHAVING_SERVER, "more.env": "FROM_FILE=3\nBOTH=file\n" });
  const config = `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: "1", B: two}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: keys}\nstringData: {KEY: hush}\n---\n`;
  const container = [
    `command: ["${process.execPath}", "server.js"]`,
    "envFrom: [{prefix: CM_, configMapRef: {name: settings}}]",
    "env:",
    "- {name: BOTH, value: yaml}",
    "- {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: KEY}}}",
    `- {name: LINK, value: "$(KEY)-$(CM_A)-$(NOPE)"}`,
    "ports: [{containerPort: 8081}]",
  ];
  const cli = kserveLocal(["up", "-", "--env-file", "more.env", ...PROCESS], {
    cwd,
    stdin: config + serviceYaml({ container }),
  });
  const { env } = JSON.parse((await get(`${await cli.ready()}/env`)).body) as { env: Record<string, string> };
  expect(env).toMatchObject({
    CM_A: "1",
    CM_B: "two",
    KEY: "hush",
    LINK: "hush-1-$(NOPE)",
    BOTH: "file",
    FROM_FILE: "3",
    K_SERVICE: "hello",
    K_REVISION: "hello-00001",
    K_CONFIGURATION: "hello",
  });
  expect(await cli.end("SIGTERM")).toBe(143);
});

test("timeoutSeconds cuts with 504, the reason, and a log line that names the field", async () => {
  const cwd = await project({ ...plain, "service.yaml": serviceYaml({ spec: ["timeoutSeconds: 1"] }) });
  const cli = kserveLocal(["up", ...PROCESS], { cwd });
  const url = await cli.ready();
  expect(await get(`${url}/?wait=5000`)).toEqual({
    status: 504,
    body: "activator request timeout",
    reason: "timeout",
  });
  const event = await cli.event("request.completed", ({ status }) => status === 504);
  expect(event["detail"]).toContain("spec.template.spec.timeoutSeconds (1 s)");
  await cli.end();
});

test("a broken manifest ends with 2 and points at the line", async () => {
  const cwd = await project({ "service.yaml": serviceYaml({ container: ["prot: 1"] }) });
  const cli = kserveLocal(["up", ...PROCESS], { cwd });
  expect(await cli.exit).toBe(2);
  expect(await cli.event("problem", ({ code }) => code === "unknown-field")).toMatchObject({
    file: "service.yaml",
    line: 10,
    column: 9,
  });
  const text = kserveLocal(["up", ...PROCESS], { cwd, json: false });
  expect(await text.exit).toBe(2);
  expect(text.text()).toContain("service.yaml:10:9");
});

test("an app that crashes at start ends up with 5, and shows its last lines", async () => {
  const cwd = await project({ ...plain, "server.js": `console.error("no database"); process.exit(3);` });
  const cli = kserveLocal(["up", ...PROCESS], { cwd });
  expect(await cli.exit).toBe(5);
  const problem = await cli.event("problem", ({ code }) => code === "start-failed");
  expect(problem["message"]).toContain("exited with code 3");
  expect(problem["why"]).toContain("no database");
  expect(cli.events.filter(({ type }) => type === "problem")).toHaveLength(1);
});

test("a taken port is left alone: the next free one with a notice, or a refusal with --strict-port", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const cwd = await project(plain);
  const cli = kserveLocal(["up", "--engine", "process", "--port", String(port)], { cwd });
  await cli.ready();
  expect((await cli.event("session.started"))["port"]).toBeGreaterThan(port);
  await cli.event("notice", ({ message }) => String(message).includes(`port ${port} is taken`));
  await cli.end();
  const strict = kserveLocal(["up", "--engine", "process", "--strict-port", "--port", String(port)], { cwd });
  expect(await strict.exit).toBe(2);
  expect((await strict.event("problem"))["code"]).toBe("port-taken");
  taken.close();
});

test("an edit of the source makes the next revision, an equal one makes none, a bad manifest leaves the old one", async () => {
  const cwd = await project(plain);
  const cli = kserveLocal(["up", ...PROCESS], { cwd });
  const url = await cli.ready();
  await writeFile(path.join(cwd, "server.js"), BEHAVING_SERVER.replace("TEXT", "edited"));
  await cli.event("service.ready", ({ revision }) => revision === "hello-00002");
  expect((await get(url)).body).toContain(`"hello-00002","text":"edited"`);

  const manifest = path.join(cwd, "service.yaml");
  await writeFile(
    manifest,
    "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: hello}\nspec: {tmplate: {}}\n",
  );
  await cli.event("problem", ({ severity }) => severity === "error");
  expect((await get(url)).body).toContain("hello-00002");

  // As editors save: a new file moved over the old one. Only traffic changes: no revision.
  await writeFile(
    `${manifest}.new`,
    serviceYaml({ traffic: ["- {latestRevision: true, percent: 100, tag: now}"] }),
  );
  await rename(`${manifest}.new`, manifest);
  await cli.event("watch.change", ({ decision }) => String(decision).includes("hello"));
  await writeFile(manifest, serviceYaml({ container: ["env: [{name: A, value: b}]"] }));
  await cli.event("service.ready", ({ revision }) => revision === "hello-00003");
  const created = cli.events
    .filter(({ type }) => type === "revision.created")
    .map(({ revision }) => revision);
  expect(created).toEqual(["hello-00001", "hello-00002", "hello-00003"]);
  expect(await cli.end()).toBe(130);
});

test("test runs the command with the URLs and passes its exit code on", async () => {
  const cwd = await project(plain);
  const script = `fetch(process.env.KSERVE_LOCAL_URL_HELLO).then((r) => r.text()).then((t) => { require("fs").writeFileSync("out.txt", t); process.exit(process.env.KSERVE_LOCAL_URL ? 7 : 8); })`;
  const cli = kserveLocal(["test", ...PROCESS, "--", process.execPath, "-e", script], { cwd });
  expect(await cli.exit).toBe(7);
  expect(await readFile(path.join(cwd, "out.txt"), "utf8")).toContain("hello-00001");
  expect(cli.events.at(-1)?.type).toBe("instance.state");
});

test("test without a command, with one that does not exist, and with a service that never gets ready", async () => {
  const cwd = await project({ ...plain, "server.js": "setInterval(() => {}, 1000);" });
  expect(await kserveLocal(["test", ...PROCESS], { cwd }).exit).toBe(2);
  const late = kserveLocal(["test", "--wait-timeout", "1", ...PROCESS, "--", "true"], { cwd });
  expect(await late.exit).toBe(5);
  expect((await late.event("problem", ({ code }) => code === "not-ready"))["why"]).toContain("is starting");
  const working = await project(plain);
  expect(await kserveLocal(["test", ...PROCESS, "--", "no-such-program-here"], { cwd: working }).exit).toBe(
    2,
  );
});

test("a request in flight finishes on Ctrl-C, a second Ctrl-C cuts it", async () => {
  const cwd = await project(plain);
  const patient = kserveLocal(["up", ...PROCESS], { cwd });
  const answer = get(`${await patient.ready()}/?wait=1500`);
  await patient.event("log", ({ line }) => line === "waiting");
  patient.child.kill("SIGINT");
  await patient.event("session.stopping");
  expect((await answer).status).toBe(200);
  expect(await patient.exit).toBe(130);

  const hasty = kserveLocal(["up", ...PROCESS], { cwd });
  const cut = get(`${await hasty.ready()}/?wait=60000`).catch((error: unknown) => error);
  await hasty.event("log", ({ line }) => line === "waiting");
  hasty.child.kill("SIGINT");
  await hasty.event("notice", ({ message }) =>
    String(message).includes("a request in flight on hello-00001"),
  );
  hasty.child.kill("SIGINT");
  expect(await hasty.exit).toBe(130);
  expect(await cut).toBeInstanceOf(Error);
});

test("with no engine reachable up says so in one line and runs the service as a process", async () => {
  const cwd = await project(plain);
  const cli = kserveLocal(["up", "--port", "0"], {
    cwd,
    env: { DOCKER_HOST: "unix:///nonexistent/docker.sock" },
  });
  const url = await cli.ready();
  expect(await cli.event("engine.chosen")).toMatchObject({ engine: "process" });
  expect((await get(url)).status).toBe(200);
  await cli.end();
  const docker = kserveLocal(["up", "--port", "0", "--engine", "docker"], {
    cwd,
    env: { DOCKER_HOST: "unix:///nonexistent/docker.sock" },
  });
  expect(await docker.exit).toBe(3);
});
