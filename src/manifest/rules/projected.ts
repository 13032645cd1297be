/** Projected volumes. Source: knative/serving pkg/apis/serving/k8s_validation.go. */
import { found, missing, via, type Finding } from "../finding.ts";
import type { KeyToPath, ProjectedSource } from "../spec.ts";

export function itemFindings(items: readonly KeyToPath[]): Finding[] {
  return items.flatMap((item, index) =>
    (["key", "path"] as const)
      .filter((name) => item[name] === "")
      .map((name) =>
        missing(`[${index}].${name}`, `The item has no ${name}.`, "Write `{key: ..., path: ...}`."),
      ),
  );
}

/** One of the sources of a projected volume. */
export function projectedFindings(source: ProjectedSource): Finding[] {
  return [
    ...(["secret", "configMap"] as const).flatMap((name) => via(name, namedFindings(source[name], name))),
    ...(source.serviceAccountToken?.path === ""
      ? [missing("serviceAccountToken.path", "The token has no path.", "Add `path: token`.")]
      : []),
    ...via("downwardAPI.items", downwardFindings(source.downwardAPI?.items ?? [])),
    ...countFindings(source),
  ];
}

function namedFindings(projection: ProjectedSource["secret"], kind: string): Finding[] {
  if (projection === undefined) return [];
  const items = via("items", itemFindings(projection.items ?? []));
  if ((projection.name ?? "") !== "") return items;
  const hint = "Here the field is called name, for a Secret too.";
  return [missing("name", `The ${kind} has no name.`, hint), ...items];
}

type DownwardItem = NonNullable<NonNullable<ProjectedSource["downwardAPI"]>["items"]>[number];

function downwardFindings(items: readonly DownwardItem[]): Finding[] {
  return items.flatMap((item, index) => {
    const findings: Finding[] = [];
    const refs = ["fieldRef", "resourceFieldRef"] as const;
    const count = refs.filter((name) => item[name] !== undefined).length;
    if (count !== 1) {
      const message = `The item takes exactly one of fieldRef and resourceFieldRef, not ${count}.`;
      findings.push(found("one-of", refs, message));
    }
    if (item.path === "") findings.push(missing("path", "The item has no path."));
    return via(`[${index}]`, findings);
  });
}

function countFindings(source: ProjectedSource): Finding[] {
  const kinds = ["configMap", "downwardAPI", "secret", "serviceAccountToken"] as const;
  const given = kinds.filter((name) => source[name] !== undefined);
  if (given.length === 1) return [];
  if (given.length > 1) {
    const message = `The projection has ${given.join(" and ")}; it takes one.`;
    return [found("one-of", given, message, "Make several entries of it.")];
  }
  return [
    found(
      "one-of",
      kinds,
      "The projection has no source.",
      "Add `secret: {name: ...}` or one of the others.",
    ),
  ];
}
