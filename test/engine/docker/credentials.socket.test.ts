import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findCredentials } from "../../../src/engine/docker/credentials.ts";
import { KserveLocalError } from "../../../src/kernel/errors.ts";

const HUB = "https://index.docker.io/v1/";
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("registry credentials", () => {
  let home: string;
  let bin: string;
  beforeEach(() => {
    home = mkdtempSync(path.join(tmpdir(), "kserve-local-credentials-"));
    bin = path.join(home, "bin");
    mkdirSync(path.join(home, ".docker"));
    mkdirSync(bin);
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  const read = (file: string): string | undefined => {
    try {
      return readFileSync(file, "utf8");
    } catch {
      return undefined;
    }
  };
  const config = (value: object, file = ".docker/config.json") => {
    mkdirSync(path.dirname(path.join(home, file)), { recursive: true });
    writeFileSync(path.join(home, file), JSON.stringify(value));
  };
  const helper = (name: string, script: string) =>
    writeFileSync(path.join(bin, `docker-credential-${name}`), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const find = (registry: string, env: Record<string, string> = {}, signal?: AbortSignal) =>
    findCredentials(registry, { env: { PATH: `${bin}:/usr/bin:/bin`, ...env }, home, read }, signal);
  const failure = async (run: Promise<unknown>): Promise<KserveLocalError> => {
    const error: unknown = await run.catch((thrown: unknown) => thrown);
    if (!(error instanceof KserveLocalError)) throw new Error(`not the error expected: ${String(error)}`);
    expect(error.code).toBe("registry-denied");
    return error;
  };

  it("are none where nothing is configured", async () => {
    expect(await find("ghcr.io")).toBeUndefined();
    config({ auths: { "other.example": { auth: base64("a:b") } } });
    expect(await find("ghcr.io")).toBeUndefined();
  });

  it.each([
    ["a plain key", "ghcr.io", "ghcr.io"],
    ["a key with scheme and path", "ghcr.io", "https://ghcr.io/v2/"],
    ["Docker Hub's key", "docker.io", HUB],
    ["Docker Hub's short name", "docker.io", "index.docker.io"],
    ["a port", "localhost:5000", "localhost:5000"],
  ])("come from auths by %s", async (_title, registry, key) => {
    config({ auths: { [key]: { auth: base64("me:pass:word") } } });
    const serveraddress = registry === "docker.io" ? HUB : registry;
    expect(await find(registry)).toEqual({ serveraddress, username: "me", password: "pass:word" });
  });

  it("may be an identity token", async () => {
    config({ auths: { "a.example": { auth: base64("x:y"), identitytoken: "tok" } } });
    expect(await find("a.example")).toEqual({ serveraddress: "a.example", identitytoken: "tok" });
  });

  it("come from DOCKER_CONFIG, DOCKER_AUTH_CONFIG, REGISTRY_AUTH_FILE and containers/auth.json", async () => {
    const auths = (user: string) => ({ auths: { "a.example": { auth: base64(`${user}:p`) } } });
    config(auths("podman"), "run/containers/auth.json");
    expect(await find("a.example", { XDG_RUNTIME_DIR: path.join(home, "run") })).toMatchObject({
      username: "podman",
    });
    config(auths("file"), "auth.json");
    const file = { REGISTRY_AUTH_FILE: path.join(home, "auth.json") };
    expect(await find("a.example", file)).toMatchObject({ username: "file" });
    config(auths("folder"), "cfg/config.json");
    const folder = { ...file, DOCKER_CONFIG: path.join(home, "cfg") };
    expect(await find("a.example", folder)).toMatchObject({ username: "folder" });
    const inline = { ...folder, DOCKER_AUTH_CONFIG: JSON.stringify(auths("inline")) };
    expect(await find("a.example", inline)).toMatchObject({ username: "inline" });
  });

  it("come from the registry's helper before the general one before auths", async () => {
    helper("mine", `read key; echo "{\\"Username\\":\\"mine\\",\\"Secret\\":\\"$1 $key\\"}"`);
    helper("store", `read key; echo "{\\"Username\\":\\"store\\",\\"Secret\\":\\"$1 $key\\"}"`);
    const auths = { "a.example": { auth: base64("auths:x") }, "b.example": {} };
    config({ auths, credsStore: "store", credHelpers: { "a.example": "mine" } });
    expect(await find("a.example")).toEqual({
      serveraddress: "a.example",
      username: "mine",
      password: "get a.example",
    });
    expect(await find("b.example")).toMatchObject({ username: "store", password: "get b.example" });
    expect(await find("docker.io")).toMatchObject({ username: "store", password: `get ${HUB}` });
  });

  it("of a helper with the user <token> are an identity token", async () => {
    helper("store", `echo '{"Username":"<token>","Secret":"tok"}'`);
    config({ credsStore: "store" });
    expect(await find("a.example")).toEqual({ serveraddress: "a.example", identitytoken: "tok" });
  });

  it("that the helper doesn't have are looked for in auths, or are none", async () => {
    helper("store", `echo "credentials not found in native keychain"; exit 1`);
    config({ credsStore: "store", auths: { "a.example": { auth: base64("auths:x") }, "b.example": {} } });
    expect(await find("a.example")).toMatchObject({ username: "auths" });
    expect(await find("b.example")).toBeUndefined();
  });

  it("whose helper is missing, fails or talks nonsense are an error that says so, without secrets", async () => {
    config({ credsStore: "gone" });
    expect((await failure(find("a.example"))).message).toContain("docker-credential-gone is not on PATH");
    helper("gone", `echo "keychain is locked"; echo s3cret >&2; exit 2`);
    const failed = await failure(find("a.example"));
    expect(failed.why).toBe("keychain is locked");
    expect(JSON.stringify(failed)).not.toContain("s3cret");
    helper("gone", `echo '{"Username":"me","Secret":"s3cret"'`);
    const nonsense = await failure(find("a.example"));
    expect(nonsense.message).toContain("isn't JSON");
    expect(`${nonsense.message}${nonsense.why}${nonsense.fix}${String(nonsense.cause)}`).not.toContain(
      "s3cret",
    );
  });

  it("are not waited for when aborted", async () => {
    helper("store", "exec sleep 30");
    config({ credsStore: "store" });
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const finding = find("a.example", {}, controller.signal);
    controller.abort(reason);
    await expect(finding).rejects.toBe(reason);
  });

  it("in a broken file are an error that quotes nothing of it", async () => {
    writeFileSync(path.join(home, ".docker/config.json"), `{"auths": {"a": s3cret`);
    const error = await failure(find("a.example"));
    expect(`${error.message}${error.why}${String(error.cause)}`).not.toContain("s3cret");
    expect(error.message).toContain("config.json");
  });
});
