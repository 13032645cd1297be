/** What a row of the field tables says, in words and figures for people. */
import { featuresFrom } from "./features.ts";
import type { Field, FieldType, Shape } from "./fields/field.ts";
import type { Profile } from "./profiles.ts";

/** How faithfully the emulator keeps what a field asks for. */
export interface Emulation {
  /**
   * `emulated`: it acts as on the platform. `accepted`: it is taken and judged, and does not act in full, as `note` says.
   * `refused`: the platform does not take it. `server`: the platform writes it.
   */
  readonly level: "emulated" | "accepted" | "refused" | "server";
  /** The end of a sentence, without a full stop. */
  readonly note?: string;
}

const DEFAULT_NOTE = "the emulator does not act on it";

/** With the profile's own limit where it has one. */
export function fieldBounds(
  name: string,
  field: Field,
  shape: Shape,
  profile: Profile,
): readonly [number, number] | undefined {
  const isRequestTimeout = shape.name === "RevisionSpec" && name === "timeoutSeconds";
  if (field.bounds !== undefined && isRequestTimeout && profile.maxTimeoutSeconds !== undefined)
    return [field.bounds[0], profile.maxTimeoutSeconds];
  return field.bounds;
}

/** `integer`, `[]Container`, `map of string`, as `kubectl explain` writes types. */
export function typeName(type: FieldType): string {
  switch (type.kind) {
    case "int32":
    case "int64":
      return "integer";
    case "intOrString":
      return "integer or string";
    case "any":
      return "anything";
    case "object":
      return type.shape().name;
    case "list":
      return `[]${typeName(type.of)}`;
    case "map":
      return `map of ${typeName(type.of)}`;
    case "string":
    case "boolean":
    case "quantity":
    case "time":
      return type.kind;
  }
}

/** `above`: of the fields that it stands in, outermost first. The first that is not fully emulated decides. */
export function emulationOf(
  field: Field,
  above: ReadonlyArray<{ readonly name: string; readonly field: Field }>,
): Emulation {
  if (field.closed === true)
    return { level: "refused", note: "Kubernetes has the field, Knative does not take it" };
  if (isServerSide(field)) return { level: "server" };
  const holder = above.find((step) => step.field.fidelity === "accepted");
  if (holder !== undefined)
    return { level: "accepted", note: `of ${holder.name}: ${holder.field.note ?? DEFAULT_NOTE}` };
  return field.fidelity === "accepted"
    ? { level: "accepted", note: field.note ?? DEFAULT_NOTE }
    : { level: "emulated" };
}

/** As shipped, in words: `kubernetes.podspec-affinity (shipped: disabled)`. */
export function flagInWords(field: Field): string | undefined {
  return field.flag === undefined
    ? undefined
    : `${field.flag} in the ConfigMap config-features (shipped: ${featuresFrom({})[field.flag]})`;
}

function isServerSide(field: Field): boolean {
  return (
    field.doc.startsWith("Set by the server") ||
    field.doc.startsWith("Unused") ||
    field.doc.endsWith("written by the platform.")
  );
}
