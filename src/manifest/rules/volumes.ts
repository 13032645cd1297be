/** Volumes. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go. */
import { found, join, missing, via, type Finding } from "../finding.ts";
import { VOLUME } from "../fields/volumes.ts";
import { dns1123Label } from "../names.ts";
import { parseQuantity } from "../quantity.ts";
import type { RevisionSpec, Volume } from "../spec.ts";
import { flagHint, isEnabled, isOn, type RuleContext } from "./context.ts";
import { itemFindings, projectedFindings } from "./projected.ts";

const PLAIN_SOURCES = ["secret", "configMap", "projected"] as const;
const FLAGGED_SOURCES = [
  "emptyDir",
  "persistentVolumeClaim",
  "hostPath",
  "csi",
  "image",
  "ephemeral",
] as const;
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
