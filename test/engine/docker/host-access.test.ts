import { describe, expect, test } from "vitest";
import { hostAccess } from "../../../src/engine/docker/host-access.ts";

const routes = () =>
  Promise.resolve({
    local: new Set(["127.0.0.1", "10.1.2.3", "172.17.0.0", "172.17.0.1", "172.17.255.255"]),
    links: new Set(["172.17.0.0/16"]),
  });

describe("how containers reach us", () => {
  test.each([
    [
      "our address on the engine's bridge",
      { sharesNetwork: true, desktop: false },
      ["172.17.0.0/16"],
      "172.17.0.1",
    ],
    [
      "a bridge that we have no address on",
      { sharesNetwork: true, desktop: false },
      ["172.30.0.0/16"],
      undefined,
    ],
    [
      "an engine elsewhere, whatever its bridge",
      { sharesNetwork: false, desktop: false },
      ["172.17.0.0/16"],
      undefined,
    ],
    ["Docker Desktop's own name", { sharesNetwork: false, desktop: true }, [], "host.docker.internal"],
  ])("%s", async (_name, facts, subnets, reach) => {
    expect((await hostAccess(facts, subnets, routes))?.reach).toBe(reach);
  });

  test("Desktop forwards its name to the loopback, so that is where we listen", async () => {
    expect((await hostAccess({ sharesNetwork: false, desktop: true }, [], routes))?.listen).toBe("127.0.0.1");
  });
});
