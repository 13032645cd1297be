import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { describe, expect } from "vitest";
import { connectDocker } from "../../../src/engine/docker/connect.ts";
import { systemClock } from "../../../src/kernel/clock.ts";
import { engineSuite } from "../../suites/engine-suite.ts";
import { ensureHostNodeImage, requireEngine } from "../../support/docker-images.ts";
import { withEnvironment } from "./rig.ts";

const engine = await requireEngine();
const app = fileURLToPath(new URL("../../apps/contract-app", import.meta.url));

describe.skipIf(engine.missing)("a real engine", async () => {
  const base = engine.missing ? "" : await ensureHostNodeImage(engine.docker);

  engineSuite("docker behind holder and gate, root in memory", {
    // Published: the suite connects to instances that have ended, and the engine gives a container's own address to the
    // next one at once, which may be somebody else's. standby.docker.test.ts has the other way.
    create: () =>
      connectDocker({
        session: randomUUID(),
        clock: systemClock(),
        filesystem: "memory",
        onNotice: (message) => expect.fail(message),
        ...withEnvironment({ KSERVE_LOCAL_DOCKER_ADDRESS: "published" }),
      }),
    source: () => ({
      kind: "build",
      context: app,
      dockerfile: "Dockerfile",
      buildArgs: { BASE: base },
      tag: "localhost/kserve-local-test/contract-app:gated",
      pullBase: false,
    }),
    missing: () => ({ kind: "reference", reference: "localhost/kserve-local-test/none:v1", pull: "missing" }),
    node: "node",
    leftovers: async (marker) => {
      const found = await engine.docker.listContainers({ all: true, filters: { name: [marker] } });
      return found.flatMap((container) => container.Names);
    },
  });
});
