import { describe, expect, it } from "vitest";
import {
  isDead,
  LABEL,
  machineLiveness,
  ownIdentity,
  sessionLabels,
} from "../../../src/engine/docker/labels.ts";

const now = {
  host: "laptop",
  boot: "b1",
  start: (pid: number) => (pid === 10 ? "500" : pid === 11 ? "" : undefined),
};
const labels = (more: Record<string, string> = {}) => ({
  [LABEL.session]: "s",
  [LABEL.host]: "laptop",
  [LABEL.boot]: "b1",
  [LABEL.pid]: "10",
  [LABEL.pidStart]: "500",
  ...more,
});

describe("a session", () => {
  it.each<[string, Record<string, string>, boolean]>([
    ["whose process lives", {}, false],
    ["whose process is gone", { [LABEL.pid]: "12" }, true],
    ["whose pid has been used again", { [LABEL.pidStart]: "499" }, true],
    ["of an earlier boot", { [LABEL.boot]: "b0" }, true],
    ["of another machine", { [LABEL.host]: "other", [LABEL.pid]: "12" }, false],
    ["whose process' start nobody knows", { [LABEL.pid]: "11" }, false],
    ["with a pid that is none", { [LABEL.pid]: "x" }, true],
  ])("%s is dead: %s", (_title, more, dead) => expect(isDead(labels(more), now)).toBe(dead));

  it("of somebody else's container is none", () => expect(isDead({ foo: "bar" }, now)).toBe(false));

  it("of this process lives", () => {
    const own = sessionLabels(ownIdentity("mine"));
    expect(own[LABEL.session]).toBe("mine");
    expect(isDead(own, machineLiveness())).toBe(false);
    expect(isDead({ ...own, [LABEL.pid]: "999999999" }, machineLiveness())).toBe(true);
  });
});
