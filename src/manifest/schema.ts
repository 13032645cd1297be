/**
 * The JSON Schema of the kinds, made from the tables of `fields/`, for editors: completion, hover texts, and the
 * refusals that a schema can express. Draft 07, the newest that yaml-language-server is safe with.
 *
 * It refuses nothing that the platform accepts with its shipped limits: what depends on a feature flag or on other
 * fields is left to `validate`.
 */
import type { Field, FieldType, Shape } from "./fields/field.ts";
import { KINDS, type Kind } from "./fields/kinds.ts";
import { annotationTexts } from "./explain-annotations.ts";
import { fieldBounds } from "./explain-text.ts";
import { PROFILES, type Profile, type ProfileName } from "./profiles.ts";

export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

const INT32 = [-(2 ** 31), 2 ** 31 - 1] as const;
/** Text that decodes to a quantity; the bounds of the number are left to the judge. */
const QUANTITY = "^[-+]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[numkMGTPE]|[KMGTPE]i|[eE][-+]?\\d+)?$";

/** Fields without which an object is refused, by shape. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  RevisionSpec: ["containers"],
  Container: ["image"],
  EnvVar: ["name"],
};

/** Lists of values that the platform completes or leaves to the kubelet: shown to choose from, not enforced. */
const SUGGESTED = new Set(["imagePullPolicy", "medium", "type"]);

/** The schema of one document of a manifest. Documents of other kinds pass. */
export function manifestSchema(profileName: ProfileName): JsonSchema {
  const builder = new SchemaBuilder(PROFILES[profileName]);
  const branches = KINDS.map((kind) => builder.kindBranch(kind));
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Manifests of Knative Serving",
    description:
      "Service, Configuration, Revision and Route of serving.knative.dev/v1, DomainMapping, ConfigMap and Secret. Generated from the tables that kserve-local validates with.",
    type: ["object", "null"],
    properties: {
      apiVersion: {
        type: "string",
        description: "API of the object.",
        examples: [...new Set(KINDS.map(({ apiVersion }) => apiVersion))],
      },
      kind: { type: "string", description: "Kind of the object.", examples: KINDS.map(({ kind }) => kind) },
      metadata: { description: "Name, namespace, labels and annotations.", type: ["object", "null"] },
    },
    required: ["apiVersion", "kind"],
    allOf: branches,
    definitions: builder.definitions(),
  };
}

class SchemaBuilder {
  readonly #profile: Profile;
  readonly #definitions = new Map<string, JsonSchema>();

  constructor(profile: Profile) {
    this.#profile = profile;
  }

  kindBranch({ apiVersion, kind, shape }: Kind): JsonSchema {
    return {
      if: {
        properties: { apiVersion: { const: apiVersion }, kind: { const: kind } },
        required: ["apiVersion", "kind"],
      },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: this.#reference(shape, { lenient: false, revision: kind === "Revision" }),
    };
  }

  definitions(): JsonSchema {
    return Object.fromEntries([...this.#definitions].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** Shapes refer to themselves and to each other, so each is one definition. */
  #reference(shape: Shape, place: Place): JsonSchema {
    const name = definitionName(shape, place);
    if (!this.#definitions.has(name)) {
      this.#definitions.set(name, {});
      this.#definitions.set(name, this.#object(shape, place));
    }
    return { $ref: `#/definitions/${name}` };
  }

  #object(shape: Shape, place: Place): JsonSchema {
    const fields = [...shape.fields].filter(([, field]) => field.closed !== true);
    const required = REQUIRED[shape.name] ?? [];
    return {
      type: ["object", "null"],
      properties: Object.fromEntries(
        fields.map(([name, field]) => [name, this.#field(shape, name, field, place)]),
      ),
      ...(required.length === 0 || place.lenient ? {} : { required }),
      ...(place.lenient || shape.fields.size === 0 ? {} : { additionalProperties: false }),
    };
  }

  #field(shape: Shape, name: string, field: Field, place: Place): JsonSchema {
    const inside: Place = {
      lenient: place.lenient || field.open === true || field.lenient === true,
      revision: place.revision || shape.name === "RevisionTemplate",
    };
    // Of probes, the platform checks only those that it runs itself.
    const bounds = shape.name === "Probe" ? undefined : fieldBounds(name, field, shape, this.#profile);
    const type = this.#type(field.type, inside, bounds);
    const described = { description: description(field), ...defaultOf(field) };
    if (shape.name === "ObjectMeta" && name === "annotations")
      return { ...described, ...type, properties: annotationProperties(inside.revision) };
    // Siblings of $ref are ignored in draft 07.
    if ("$ref" in type) return { ...described, allOf: [type] };
    if (field.values === undefined) return { ...described, ...type };
    const values = field.values.filter((value) => value !== "");
    return SUGGESTED.has(name)
      ? { ...described, anyOf: [{ enum: values }, type] }
      : { ...described, enum: [...new Set([...values, "", null])] };
  }

  #type(type: FieldType, place: Place, bounds: readonly [number, number] | undefined): JsonSchema {
    switch (type.kind) {
      case "string":
      case "time":
        return { type: ["string", "null"] };
      case "boolean":
        return { type: ["boolean", "null"] };
      case "int32":
      case "int64": {
        const limits = bounds ?? (type.kind === "int32" ? INT32 : undefined);
        return {
          type: ["integer", "null"],
          ...(limits === undefined ? {} : { minimum: limits[0], maximum: limits[1] }),
        };
      }
      case "quantity":
        return { type: ["string", "number", "null"], pattern: QUANTITY };
      case "intOrString":
        return { type: ["integer", "string", "null"] };
      case "object":
        return this.#reference(type.shape(), place);
      case "list":
        return { type: ["array", "null"], items: this.#type(type.of, place, undefined) };
      case "map":
        return { type: ["object", "null"], additionalProperties: this.#type(type.of, place, undefined) };
      case "any":
        return {};
    }
  }
}

interface Place {
  /** Names that are not in the table are dropped there, not refused. */
  readonly lenient: boolean;
  /** Below a revision or its template, where the autoscaling annotations belong. */
  readonly revision: boolean;
}

function definitionName({ name }: Shape, { lenient, revision }: Place): string {
  const meta = name === "ObjectMeta" && revision ? "RevisionMeta" : name;
  return lenient ? `${meta}Lenient` : meta;
}

function description(field: Field): string {
  const parts = [field.doc];
  if (field.default !== undefined) parts.push(`Default: ${field.default}.`);
  if (field.flag !== undefined) parts.push(`Needs the feature flag ${field.flag}.`);
  if (field.fidelity === "accepted")
    parts.push(`Accepted, but ${field.note ?? "the emulator does not act on it"}.`);
  return parts.join(" ");
}

/** Only where the words are the value. */
function defaultOf({ type, default: words }: Field): JsonSchema {
  if (words === undefined) return {};
  if ((type.kind === "int32" || type.kind === "int64") && /^\d+$/.test(words))
    return { default: Number.parseInt(words, words.startsWith("0") && words.length > 1 ? 8 : 10) };
  if (type.kind === "boolean" && /^(?:true|false)$/.test(words)) return { default: words === "true" };
  return type.kind === "string" && /^\S+$/.test(words) && words !== '""' ? { default: words } : {};
}

function annotationProperties(revision: boolean): JsonSchema {
  return Object.fromEntries(
    annotationTexts()
      .filter(({ onRevision, onService }) => (revision ? onRevision : onService))
      .map(({ key, text }) => [key, { type: ["string", "null"], description: text }]),
  );
}
