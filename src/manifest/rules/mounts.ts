/** Where volumes appear in a container. Source: knative/serving pkg/apis/serving/k8s_validation.go. */
import { posix } from "node:path";
import { found, missing, via, type Finding } from "../finding.ts";
import type { Volume, VolumeMount } from "../spec.ts";
import { flagHint, isOn, type RuleContext } from "./context.ts";

const PROPAGATION = "kubernetes.podspec-volumes-mount-propagation";
const RESERVED_PATHS = new Set(["/", "/dev", "/dev/log"]);

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
  const names = firstNames(volumes, 10);
  const hint =
    names.length === 0 ? "Add it to spec.template.spec.volumes." : `The volumes are: ${names.join(", ")}.`;
  return [
    found(
      "no-volume",
      "name",
      mount.name === "" ? "The mount does not name a volume." : `There is no volume called "${mount.name}".`,
      hint,
    ),
  ];
}

function firstNames(volumes: ReadonlyMap<string, Volume>, count: number): string[] {
  const names: string[] = [];
  for (const name of volumes.keys()) {
    if (names.length === count) break;
    if (name !== "") names.push(name);
  }
  return names;
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
