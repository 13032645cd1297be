/** Volumes and their mounts. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go. */
import { posix } from "node:path";
import { found, join, missing, via, type Finding } from "../finding.ts";
import { VOLUME } from "../fields/volumes.ts";
import { dns1123Label } from "../names.ts";
import { parseQuantity } from "../quantity.ts";
import type { KeyToPath, ProjectedSource, RevisionSpec, Volume, VolumeMount } from "../spec.ts";
import { flagHint, isEnabled, isOn, type RuleContext } from "./context.ts";

const RESERVED_PATHS = new Set(["/", "/dev", "/dev/log"]);
const PLAIN_SOURCES = ["secret", "configMap", "projected"] as const;
const FLAGGED_SOURCES = [
  "emptyDir",
  "persistentVolumeClaim",
  "hostPath",
  "csi",
  "image",
  "ephemeral",
] as const;
const PROPAGATION = "kubernetes.podspec-volumes-mount-propagation";
const WRITE = "kubernetes.podspec-persistent-volume-write";

export function volumeFindings(spec: RevisionSpec, context: RuleContext): Finding[] {
  const mounted = new Set(
    [...(spec.initContainers ?? []), ...(spec.containers ?? [])].flatMap((container) =>
      (container.volumeMounts ?? []).map((mount) => mount.name),
    ),
  );
  const seen = new Set<string>();
  return (spec.volumes ?? []).flatMap((volume, index) => {
    const findings: Finding[] = [];
    if (seen.has(volume.name))
      findings.push(
        found(
          "duplicate-name",
          "name",
          `Two volumes are called "${volume.name}".`,
          "Give each a name of its own.",
        ),
      );
    if (!mounted.has(volume.name))
      findings.push(
        found(
          "not-mounted",
          "name",
          `No container mounts the volume "${volume.name}".`,
          "Mount it with volumeMounts, or remove it.",
        ),
      );
    seen.add(volume.name);
    return via(`[${index}]`, [...findings, ...oneVolume(volume, context)]);
  });
}

function oneVolume(volume: Volume, context: RuleContext): Finding[] {
  const findings: Finding[] = [];
  if (volume.name === "") findings.push(missing("name", "The volume has no name.", "Write `- name: ...`."));
  else if (dns1123Label(volume.name) !== undefined)
    findings.push(
      found("bad-name", "name", `The volume name "${volume.name}" ${dns1123Label(volume.name) ?? ""}.`),
    );
  return [
    ...findings,
    ...sourceFlags(volume, context),
    ...sourceContents(volume),
    ...sourceCount(volume, context),
  ];
}

function sourceFlags(volume: Volume, context: RuleContext): Finding[] {
  const findings: Finding[] = [];
  for (const name of FLAGGED_SOURCES) {
    const flag = VOLUME.fields.get(name)?.flag;
    if (volume[name] === undefined || flag === undefined || isOn(context, flag)) continue;
    findings.push({
      ...found(
        "needs-flag",
        name,
        `A volume of the kind ${name} needs the feature flag ${flag}, which is off by default.`,
        flagHint(flag),
      ),
      atKey: true,
    });
  }
  const claim = volume.persistentVolumeClaim;
  if (findings.length === 0 && claim !== undefined && claim.readOnly !== true && !isEnabled(context, WRITE)) {
    const message = `Writing to a persistent volume needs the feature flag ${WRITE}.`;
    findings.push({
      ...found("needs-flag", [], message, `Write \`readOnly: true\`, or: ${flagHint(WRITE)}`),
      place: "persistentVolumeClaim",
    });
  }
  return findings;
}

function sourceContents(volume: Volume): Finding[] {
  const findings: Finding[] = [];
  // Knative leaves the name of the source out of these paths.
  for (const name of ["secret", "configMap"] as const) {
    for (const finding of via("items", itemFindings(volume[name]?.items ?? []))) {
      findings.push({ ...finding, place: join(name, finding.paths[0] ?? "") });
    }
  }
  (volume.projected?.sources ?? []).forEach((source, index) =>
    findings.push(...via(`projected[${index}]`, projectedFindings(source))),
  );
  const { medium = "", sizeLimit } = volume.emptyDir ?? {};
  if (medium !== "" && medium !== "Memory") {
    findings.push(
      found(
        "bad-value",
        "emptyDir.medium",
        `There is no medium "${medium}" for an emptyDir.`,
        "Write Memory, or remove it for the node's disk.",
      ),
    );
  }
  const size = sizeLimit === undefined ? undefined : parseQuantity(String(sizeLimit));
  if (typeof size === "object" && size.nanos < 0n)
    findings.push(
      found("out-of-bounds", "emptyDir.sizeLimit", "The size limit is negative.", "Write e.g. 64Mi."),
    );
  return findings;
}

function sourceCount(volume: Volume, context: RuleContext): Finding[] {
  const known = [...PLAIN_SOURCES, ...FLAGGED_SOURCES];
  const given = known.filter((name) => volume[name] !== undefined);
  if (given.length > 1)
    return [
      found(
        "one-of",
        given,
        `The volume has ${given.join(" and ")}; it takes one source.`,
        "Make several volumes of it, or use projected.",
      ),
    ];
  if (given.length === 1) return [];
  const available = known.filter((name) => {
    const flag = VOLUME.fields.get(name)?.flag;
    return flag === undefined || isEnabled(context, flag);
  });
  return [
    {
      ...found(
        "one-of",
        available,
        "The volume has no source.",
        "Add one, e.g. `secret: {secretName: ...}` or `emptyDir: {}`.",
      ),
      place: "",
    },
  ];
}

function itemFindings(items: readonly KeyToPath[]): Finding[] {
  return items.flatMap((item, index) =>
    (["key", "path"] as const)
      .filter((name) => item[name] === "")
      .map((name) =>
        missing(`[${index}].${name}`, `The item has no ${name}.`, "Write `{key: ..., path: ...}`."),
      ),
  );
}

function projectedFindings(source: ProjectedSource): Finding[] {
  const findings: Finding[] = [];
  for (const name of ["secret", "configMap"] as const) {
    const projection = source[name];
    if (projection === undefined) continue;
    if ((projection.name ?? "") === "")
      findings.push(
        missing(
          `${name}.name`,
          `The ${name} has no name.`,
          "Here the field is called name, for a Secret too.",
        ),
      );
    findings.push(...via(`${name}.items`, itemFindings(projection.items ?? [])));
  }
  if (source.serviceAccountToken?.path === "")
    findings.push(missing("serviceAccountToken.path", "The token has no path.", "Add `path: token`."));
  (source.downwardAPI?.items ?? []).forEach((item, index) => {
    const at = `downwardAPI.items[${index}]`;
    const refs = ["fieldRef", "resourceFieldRef"] as const;
    const given = refs.filter((name) => item[name] !== undefined);
    if (given.length !== 1)
      findings.push(
        ...via(at, [
          found(
            "one-of",
            refs,
            `The item takes exactly one of fieldRef and resourceFieldRef, not ${given.length}.`,
          ),
        ]),
      );
    if (item.path === "") findings.push(missing(`${at}.path`, "The item has no path."));
  });
  const kinds = ["configMap", "downwardAPI", "secret", "serviceAccountToken"] as const;
  const given = kinds.filter((name) => source[name] !== undefined);
  if (given.length === 0)
    findings.push(
      found(
        "one-of",
        kinds,
        "The projection has no source.",
        "Add `secret: {name: ...}` or one of the others.",
      ),
    );
  if (given.length > 1)
    findings.push(
      found(
        "one-of",
        given,
        `The projection has ${given.join(" and ")}; it takes one.`,
        "Make several entries of it.",
      ),
    );
  return findings;
}

export function mountFindings(
  mounts: readonly VolumeMount[],
  volumes: ReadonlyMap<string, Volume>,
  context: RuleContext,
): Finding[] {
  const seen = new Set<string>();
  return mounts.flatMap((mount, index) => {
    const path = posixClean(mount.mountPath);
    const findings = [
      ...propagation(mount, context),
      ...nameFindings(mount, volumes),
      ...pathFindings(mount.mountPath, path, seen),
      ...readOnlyFindings(mount, volumes),
    ];
    seen.add(path);
    return via(`[${index}]`, findings);
  });
}

function nameFindings(mount: VolumeMount, volumes: ReadonlyMap<string, Volume>): Finding[] {
  if (volumes.has(mount.name)) return [];
  const names = [...volumes.keys()].filter((name) => name !== "");
  const hint =
    names.length === 0
      ? "Add it to spec.template.spec.volumes."
      : `The volumes are: ${names.slice(0, 10).join(", ")}.`;
  return [
    found(
      "no-volume",
      "name",
      mount.name === "" ? "The mount does not name a volume." : `There is no volume called "${mount.name}".`,
      hint,
    ),
  ];
}

function pathFindings(written: string, path: string, seen: ReadonlySet<string>): Finding[] {
  if (written === "")
    return [missing("mountPath", "The mount has no mountPath.", "Write an absolute path, e.g. /etc/config.")];
  if (RESERVED_PATHS.has(path))
    return [
      found(
        "reserved-path",
        "mountPath",
        `Nothing can be mounted at ${path}.`,
        "Mount it below, or elsewhere.",
      ),
    ];
  if (!path.startsWith("/"))
    return [
      found(
        "bad-path",
        "mountPath",
        `The mount path "${written}" is not absolute.`,
        `Did you mean "/${written}"?`,
      ),
    ];
  return seen.has(path)
    ? [
        found(
          "duplicate-path",
          "mountPath",
          `Two volumes are mounted at ${path}.`,
          "Choose another path for one.",
        ),
      ]
    : [];
}

/** Go's path.Clean. */
function posixClean(path: string): string {
  const clean = posix.normalize(path);
  return clean.length > 1 && clean.endsWith("/") ? clean.slice(0, -1) : clean;
}

function readOnlyFindings(mount: VolumeMount, volumes: ReadonlyMap<string, Volume>): Finding[] {
  const volume = volumes.get(mount.name);
  if (mount.readOnly === true || volume?.emptyDir != null) return [];
  const claim = volume?.persistentVolumeClaim;
  if (claim?.readOnly === true)
    return [
      found(
        "read-only",
        "readOnly",
        "The volume claim is read-only, so the mount must be, too.",
        "Add `readOnly: true`.",
      ),
    ];
  if (claim !== undefined || volume?.ephemeral !== undefined) return [];
  // For the containers that stay, Knative sets it; for init containers it does not.
  return [
    found(
      "read-only",
      "readOnly",
      "Only emptyDir and persistent volumes can be mounted for writing.",
      "Add `readOnly: true`.",
    ),
  ];
}

function propagation(mount: VolumeMount, context: RuleContext): Finding[] {
  const value = mount.mountPropagation;
  if (value === undefined) return [];
  const findings: Finding[] = [];
  if (!isOn(context, PROPAGATION)) {
    findings.push(
      found(
        "needs-flag",
        "mountPropagation",
        `Mount propagation needs the feature flag ${PROPAGATION}, which is off by default.`,
        flagHint(PROPAGATION),
      ),
    );
  }
  if (value !== "None" && value !== "HostToContainer") {
    findings.push(
      found(
        "bad-value",
        "mountPropagation",
        `Mount propagation cannot be "${value}".`,
        "Write None or HostToContainer.",
      ),
    );
  }
  return findings;
}
