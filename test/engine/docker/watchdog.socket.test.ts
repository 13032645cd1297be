import { spawn } from "node:child_process";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Orders, watchdogArguments } from "../../../src/engine/docker/watchdog.ts";

describe("the watchdog", () => {
  let server: Server;
  let calls: string[];
  let left: string[];
  beforeEach(async () => {
    calls = [];
    left = ["c1", "holder", "c2"];
    server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://engine");
      const id = url.pathname.split("/")[2];
      calls.push(`${request.method} ${url.pathname}`);
      if (request.method === "DELETE" && url.pathname.startsWith("/containers/"))
        left = left.filter((one) => one !== id);
      const lists: Record<string, unknown> = {
        "/containers/json": left.map((Id) => ({
          Id,
          Labels: Id === "holder" ? { "dev.kserve-local.role": Id } : {},
        })),
        "/volumes": { Volumes: null },
        "/networks": [],
      };
      if (url.pathname in lists)
        expect(url.searchParams.get("filters")).toBe('{"label":["dev.kserve-local.session=s"]}');
      const answer = lists[url.pathname];
      response.end(answer === undefined ? "" : JSON.stringify(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** Resolves to the exit code. */
  function run(ending: string): Promise<number | null> {
    const child = spawn(process.execPath, watchdogArguments(), { stdio: ["pipe", "inherit", "inherit"] });
    const { port } = server.address() as AddressInfo;
    const endpoint = { transport: "tcp", host: "127.0.0.1", port, uri: "", source: "" } as const;
    const orders: Orders = { endpoint, label: "dev.kserve-local.session=s" };
    child.stdin.end(`${JSON.stringify(orders)}\n${ending}`);
    return new Promise((resolve) => child.once("exit", resolve));
  }

  it("kills and removes everything of the session when its stdin ends without a word, and then ends", async () => {
    expect(await run("")).toBe(0);
    expect(left).toEqual([]);
    const changes = calls.filter((call) => call.startsWith("POST") || call.startsWith("DELETE"));
    expect(changes.toSorted()).toEqual([
      "DELETE /containers/c1",
      "DELETE /containers/c2",
      "DELETE /containers/holder",
      "POST /containers/c1/kill",
      "POST /containers/c2/kill",
      "POST /containers/holder/kill",
    ]);
    // The others use its network.
    expect(changes.slice(-2)).toEqual(["POST /containers/holder/kill", "DELETE /containers/holder"]);
  });

  it("asks for nothing when it was dismissed", async () => {
    expect(await run("goodbye\n")).toBe(0);
    expect(calls).toEqual([]);
  });
});
