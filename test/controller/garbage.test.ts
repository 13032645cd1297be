import { describe, expect, test } from "vitest";
import { expiredRevisions } from "../../src/controller/garbage.ts";
import { LABELS, type StoredRevision } from "../../src/resources/objects.ts";

function revision(
  name: string,
  routingState: string,
  extra: { ready?: "False"; keep?: boolean } = {},
): StoredRevision {
  return {
    metadata: {
      name,
      labels: { [LABELS.routingState]: routingState },
      annotations: extra.keep === true ? { "serving.knative.dev/no-gc": "true" } : {},
    },
    ...(extra.ready === undefined
      ? {}
      : { status: { conditions: [{ type: "Ready", status: extra.ready, lastTransitionTime: "" }] } }),
  } as unknown as StoredRevision;
}

const names = (revisions: readonly StoredRevision[]): string[] =>
  revisions.map(({ metadata }) => metadata.name);

describe("which revisions are collected", () => {
  const old = [revision("a", "reserve"), revision("b", "reserve"), revision("c", "reserve")];

  test("the oldest beyond those that are kept", () => {
    expect(names(expiredRevisions([...old, revision("d", "active")], "d", 1))).toEqual(["a", "b"]);
    expect(names(expiredRevisions([...old, revision("d", "active")], "d"))).toEqual([]);
  });

  test("none that a route names, that is the latest ready, the newest, or marked to stay", () => {
    const revisions = [
      revision("a", "active"),
      revision("b", "reserve"),
      revision("c", "reserve", { keep: true }),
      revision("d", "pending"),
    ];
    expect(names(expiredRevisions(revisions, "b", 0))).toEqual([]);
  });

  test("failed ones count as idle", () => {
    const revisions = [revision("a", "pending", { ready: "False" }), revision("b", "active")];
    expect(names(expiredRevisions(revisions, "b", 0))).toEqual(["a"]);
  });

  test("but not the newest, whose failure is the news", () => {
    const revisions = [revision("a", "active"), revision("b", "pending", { ready: "False" })];
    expect(names(expiredRevisions(revisions, "a", 0))).toEqual([]);
  });
});
