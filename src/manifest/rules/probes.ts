/** Probes. Source: knative/serving pkg/apis/serving/k8s_validation.go (validateProbe, validateReadinessProbe). */
import { bounds, found, join, type Finding } from "../finding.ts";
import type { Probe } from "../spec.ts";

/** The port of the serving container; its name is "http" when it has none. */
export interface ProbePort {
  readonly name: string;
  readonly containerPort: number;
}

const MAX = 2_147_483_647;

/** Without a port, the container does not serve: its probes must name theirs. */
export function probeFindings(probe: Probe | undefined, port: ProbePort | undefined): Finding[] {
  if (probe === undefined) return [];
  let findings: Finding[] = [];
  const handlers: string[] = [];
  for (const name of ["httpGet", "tcpSocket"] as const) {
    const handler = probe[name];
    if (handler === undefined) continue;
    handlers.push(name);
    findings = [...moved(name, findings), ...portFindings(handler.port ?? 0, port, `${name}.port`)];
  }
  for (const name of ["exec", "grpc"] as const) {
    if (probe[name] === undefined) continue;
    // Knative spells this one differently from the field.
    handlers.push(name === "grpc" ? "gRPC" : name);
    findings = moved(name, findings);
  }
  if (handlers.length === 0) {
    findings.push(
      found(
        "one-of",
        ["exec", "grpc", "httpGet", "tcpSocket"],
        "The probe does not say how to probe.",
        "Add httpGet, tcpSocket, grpc or exec.",
      ),
    );
  }
  if (handlers.length > 1) {
    findings.push(
      found(
        "one-of",
        handlers,
        `The probe has ${handlers.join(" and ")}; it takes one of them.`,
        "Keep one.",
      ),
    );
  }
  return findings;
}

/** A later handler puts its own name before the findings of the ones before it; the place in the file stays. */
function moved(prefix: string, findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    place: finding.place ?? finding.paths[0] ?? "",
    paths: finding.paths.map((path) => join(prefix, path)),
  }));
}

function portFindings(written: number | string, port: ProbePort | undefined, path: string): Finding[] {
  if (port === undefined) {
    return written === 0 || written === ""
      ? [
          found(
            "missing-port",
            path,
            "A container without ports must name the port of its probe.",
            "Add `port: <number>`.",
          ),
        ]
      : [];
  }
  if (typeof written === "number" || written === "" || written === port.name) return [];
  const numeric = /^\d+$/.test(written);
  const hint = numeric
    ? "Remove the quotes: in quotes it is the name of a port."
    : `Write the number of the port, or remove it: the default is the container's port, ${port.containerPort}.`;
  return [
    found(
      "bad-port",
      path,
      `No port is called "${written}"; the container's port is called "${port.name}".`,
      hint,
    ),
  ];
}

export function readinessFindings(probe: Probe | undefined, port: ProbePort | undefined): Finding[] {
  if (probe === undefined) return [];
  const period = probe.periodSeconds ?? 0;
  const delay = probe.initialDelaySeconds ?? 0;
  const success = probe.successThreshold ?? 0;
  const findings = probeFindings(probe, port);
  if (period < 0) findings.push(bounds(period, 0, MAX, "periodSeconds"));
  if (delay < 0) findings.push(bounds(delay, 0, MAX, "initialDelaySeconds"));
  if (success < 1) findings.push(bounds(success, 1, MAX, "successThreshold"));
  for (const name of ["timeoutSeconds", "failureThreshold"] as const) {
    const value = probe[name] ?? 0;
    if (period === 0 && value !== 0) {
      const message = `${name} is not allowed while periodSeconds is 0 or absent: then Knative probes in its own way, every 50 ms.`;
      findings.push(found("needs-period", name, message, "Add `periodSeconds: 10`, or remove it."));
    }
    if (period !== 0 && value < 1) findings.push(bounds(value, 1, MAX, name));
  }
  return findings;
}

/** A container that does not serve may not have these probes, and Knative names every part of them that is set. */
export function sidecarProbe(probe: Probe, name: string, hint: string): Finding[] {
  const message = `A container without ports may not have a ${name}.`;
  const set = (
    [
      "initialDelaySeconds",
      "timeoutSeconds",
      "periodSeconds",
      "successThreshold",
      "failureThreshold",
    ] as const
  ).filter((field) => (probe[field] ?? 0) !== 0);
  const handled = (["exec", "httpGet", "tcpSocket", "grpc"] as const).some(
    (handler) => probe[handler] !== undefined,
  );
  const paths = [...(handled ? [""] : []), ...set];
  return paths.length === 0 ? [] : [found("needs-flag", paths, message, hint)];
}
