/** Rules for one container. Source: knative/serving pkg/apis/serving/k8s_validation.go, fieldmask.go. */
import { bounds, found, missing, via, type Finding } from "../finding.ts";
import { CONTAINER } from "../fields/container.ts";
import { imageFault } from "../image-reference.ts";
import type { Container, ContainerPort, Volume } from "../spec.ts";
import { didYouMean } from "../suggest.ts";
import { flagHint, isEnabled, type RuleContext } from "./context.ts";
import { envFindings, envFromFindings } from "./env.ts";
import { probeFindings, readinessFindings, sidecarProbe, type ProbePort } from "./probes.ts";
import { securityFindings } from "./security.ts";
import { mountFindings } from "./mounts.ts";
import { shorten } from "../shorten.ts";

export type Volumes = ReadonlyMap<string, Volume>;
type Role = "serving" | "sidecar" | "init";

/** Ports of the queue-proxy, its metrics and its profiler, in the instance's own network. */
const RESERVED_PORTS = new Set([8008, 8012, 8013, 8022, 9090, 9091]);

export function containerFindings(
  container: Container,
  volumes: Volumes,
  port: ProbePort,
  context: RuleContext,
): Finding[] {
  return [
    ...via("livenessProbe", probeFindings(container.livenessProbe, port)),
    ...via("readinessProbe", readinessFindings(container.readinessProbe, port)),
    ...via("startupProbe", probeFindings(container.startupProbe, port)),
    ...commonFindings(container, volumes, "serving", context),
  ];
}

export function sidecarFindings(container: Container, volumes: Volumes, context: RuleContext): Finding[] {
  const probing = isEnabled(context, "multi-container-probing");
  const probes = (["livenessProbe", "readinessProbe", "startupProbe"] as const).flatMap((name) => {
    const probe = container[name];
    if (probe === undefined) return [];
    if (!probing) return via(name, sidecarProbe(probe, name, flagHint("multi-container-probing")));
    return via(
      name,
      name === "readinessProbe" ? readinessFindings(probe, undefined) : probeFindings(probe, undefined),
    );
  });
  return [...probes, ...commonFindings(container, volumes, "sidecar", context)];
}

export function initContainerFindings(
  container: Container,
  volumes: Volumes,
  context: RuleContext,
): Finding[] {
  const findings: Finding[] = [];
  for (const name of ["livenessProbe", "readinessProbe", "startupProbe"] as const) {
    if (container[name] !== undefined)
      findings.push(
        found(
          "not-allowed",
          name,
          `An init container cannot have a ${name}: it runs once, to its end.`,
          "Remove it.",
        ),
      );
  }
  return [...findings, ...closedFields(container), ...commonFindings(container, volumes, "init", context)];
}

/** Names that Kubernetes has and Knative masks; elsewhere the schema has refused them before. */
function closedFields(container: Container): Finding[] {
  return [...CONTAINER.fields]
    .filter(([name, field]) => field.closed === true && name in container)
    .map(([name]) => ({
      ...found("not-allowed", name, `Knative does not take \`${name}\`.`, "Remove it."),
      atKey: true,
    }));
}

function commonFindings(container: Container, volumes: Volumes, role: Role, context: RuleContext): Finding[] {
  return [
    ...nameFindings(container.name),
    ...via("env", envFindings(container.env ?? [], role === "serving", context)),
    ...via("envFrom", envFromFindings(container.envFrom ?? [])),
    ...imageFindings(container.image ?? ""),
    ...via("ports", portFindings(container.ports ?? [], role)),
    ...via("securityContext", securityFindings(container.securityContext, context)),
    ...terminationFindings(container.terminationMessagePolicy ?? ""),
    ...via("volumeMounts", mountFindings(container.volumeMounts ?? [], volumes, context)),
  ];
}

function nameFindings(name: string): Finding[] {
  return name === "queue-proxy"
    ? [
        found(
          "reserved-name",
          "name",
          "The platform's own container is called queue-proxy.",
          "Choose another name.",
        ),
      ]
    : [];
}

function imageFindings(image: string): Finding[] {
  if (image === "")
    return [
      missing(
        "image",
        "The container has no image.",
        "Add `image: ...`, e.g. registry.example.com/team/app:1.2.3.",
      ),
    ];
  const wrong = imageFault(image);
  if (wrong === undefined) return [];
  const template = /\{\{|\$\{|<.*>/.test(image);
  const hint = template
    ? "It looks like a template: render it first."
    : "Write e.g. registry.example.com/team/app:1.2.3.";
  return [found("bad-image", "image", `The image reference "${shorten(image)}" ${wrong}.`, hint)];
}

/** Only the first port is looked at: a second one is refused anyway. */
function portFindings(ports: readonly ContainerPort[], role: Role): Finding[] {
  if (role === "init") {
    return ports.flatMap((port, index) =>
      portNumber(port).map((finding) => ({ ...finding, place: `[${index}].containerPort` })),
    );
  }
  const port = ports[0];
  return port === undefined ? [] : [...portNumber(port), ...portProtocol(port)];
}

function portNumber({ containerPort = 0 }: ContainerPort): Finding[] {
  if (RESERVED_PORTS.has(containerPort)) {
    return [
      found(
        "reserved-port",
        "containerPort",
        `Port ${containerPort} belongs to the platform, inside every instance.`,
        "Use another port, e.g. 8080; the app finds it in PORT.",
      ),
    ];
  }
  return containerPort < 0 || containerPort > 65_535
    ? [bounds(containerPort, 0, 65_535, "containerPort")]
    : [];
}

function portProtocol({ protocol = "", name = "" }: ContainerPort): Finding[] {
  const findings: Finding[] = [];
  if (protocol !== "" && protocol !== "TCP") {
    findings.push(
      found(
        "bad-value",
        "protocol",
        `The protocol "${protocol}" is not available; only TCP is.`,
        didYouMean(protocol, ["TCP"]) ?? "Remove it. For HTTP/2 write `name: h2c`.",
      ),
    );
  }
  if (!["", "http1", "h2c"].includes(name)) {
    const hint = /grpc|http2|h2/i.test(name)
      ? 'Did you mean "h2c"?'
      : "Write http1, or h2c for HTTP/2 and gRPC, or remove the name.";
    findings.push({
      ...found(
        "bad-value",
        "",
        `The port name "${name}" is not allowed: the name chooses the protocol.`,
        hint,
      ),
      place: "[0].name",
    });
  }
  return findings;
}

function terminationFindings(policy: string): Finding[] {
  const known = ["", "File", "FallbackToLogsOnError"];
  if (known.includes(policy)) return [];
  return [
    found(
      "bad-value",
      "terminationMessagePolicy",
      `There is no termination message policy "${policy}".`,
      didYouMean(policy, known) ?? "Write File or FallbackToLogsOnError.",
    ),
  ];
}
