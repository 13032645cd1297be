import { expect, it } from "vitest";
import { unsupportedByProcess } from "../../../src/engine/process/unsupported.ts";
import { fakeArtifact } from "../../support/fake-engine.ts";

const plain = { name: "user-container", artifact: fakeArtifact(), env: [], files: [], emptyDirs: [] };

it("a run that asks for nothing special loses nothing", () => {
  expect(unsupportedByProcess(plain)).toEqual([]);
});

it("everything that a host process can't have is named by its field", () => {
  const lost = unsupportedByProcess({
    ...plain,
    memoryBytes: 1,
    cpuMillis: 1,
    user: "1000",
    readOnlyRootFilesystem: true,
    files: [{ path: "/etc/secret/key", content: new Uint8Array(), mode: 0o644 }],
    emptyDirs: ["/cache"],
  });
  expect(lost.map((line) => line.split(":")[0])).toEqual([
    "resources.limits.memory",
    "resources.limits.cpu",
    "securityContext.runAsUser/runAsGroup",
    "securityContext.readOnlyRootFilesystem",
    "volumeMounts (secret, configMap)",
    "volumeMounts (emptyDir)",
  ]);
  expect(lost.join()).toContain("/etc/secret/key");
});
