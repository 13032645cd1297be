/**
 * What a field of a manifest does, from the tables that the validator uses. Pure; the layout for people is the
 * reporter's.
 */
import { ANNOTATIONS, knownAnnotation, type KnownAnnotation } from "./explain-annotations.ts";
import { itemOf, pathOf, placesOf, resolvePath, type FieldPlace, type PathFault } from "./explain-path.ts";
import { emulationOf, fieldBounds, flagInWords, typeName, type Emulation } from "./explain-text.ts";
import type { Field, Shape } from "./fields/field.ts";
import { KINDS, SERVICE, type Kind } from "./fields/kinds.ts";
import { PROFILES, type Profile, type ProfileName } from "./profiles.ts";
import { nearest } from "./suggest.ts";

export type { Emulation } from "./explain-text.ts";

export interface Explanation {
  readonly subject: "field" | "annotation" | "kind" | "kinds";
  /** `Service`; absent for annotations. */
  readonly kind?: string;
  readonly apiVersion?: string;
  /** Without indexes; for an annotation its key; "" for a kind. */
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly default?: string;
  /** In words. */
  readonly bounds?: string;
  readonly values?: readonly string[];
  /** Feature flag that it needs. */
  readonly needs?: string;
  /** Other spellings. */
  readonly aliases?: readonly string[];
  /** Where an annotation is written. */
  readonly goesOn?: string;
  readonly emulation: Emulation;
  /** Fields inside, in the order of the table. */
  readonly fields: readonly ExplainedField[];
}

export interface ExplainedField {
  readonly name: string;
  readonly type: string;
  readonly description: string;
  readonly emulation: Emulation;
}

export interface NotExplained {
  readonly subject: "unknown";
  readonly message: string;
  /** Things that can be explained instead, most likely first. */
  readonly suggestions: readonly string[];
}

const MOST_SUGGESTIONS = 6;
/** What `up` runs; the other kinds are judged only. */
const RUN = new Set(["Service", "ConfigMap", "Secret"]);
const NOT_RUN = "of Knative's kinds the emulator runs only Services";

/** `query`: a field path, a kind, the key of an annotation, or "" for what there is. */
export function explain(query: string, profileName: ProfileName): Explanation | NotExplained {
  const profile = PROFILES[profileName];
  if (query.trim() === "") return overview();
  const annotation = knownAnnotation(query.trim());
  if (annotation !== undefined) return ofAnnotation(annotation, query.trim());
  if (query.includes("/") && !query.includes("annotations")) return unknownAnnotation(query.trim());
  const place = resolvePath(query);
  if ("unknown" in place) return unknownField(place);
  if (place.mapKey !== undefined) return ofMapEntry(place, place.mapKey, profile);
  return place.steps.length === 0 ? ofKind(place.kind) : ofField(place, profile);
}

function overview(): Explanation {
  return {
    subject: "kinds",
    path: "",
    type: "object",
    description:
      "The kinds of document that a manifest may hold. Explain one of them, a field (spec.template.spec.timeoutSeconds) or an annotation (autoscaling.knative.dev/target).",
    emulation: { level: "emulated" },
    fields: KINDS.map((kind) => ({
      name: kind.kind,
      type: kind.apiVersion,
      description: kindText(kind),
      emulation: kindEmulation(kind),
    })),
  };
}

function ofKind(kind: Kind): Explanation {
  return {
    subject: "kind",
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    path: "",
    type: "object",
    description: kindText(kind),
    emulation: kindEmulation(kind),
    fields: fieldsOf(kind.shape, [], kind),
  };
}

function ofField(place: FieldPlace, profile: Profile): Explanation {
  const { kind, steps } = place;
  const { name, field, holder } = steps.at(-1) as FieldPlace["steps"][number];
  const limits = fieldBounds(name, field, holder, profile);
  const needs = flagInWords(field);
  const values = field.values?.filter((value) => value !== "");
  const inside = itemOf(field.type);
  const annotations = holder.name === "ObjectMeta" && name === "annotations";
  return {
    subject: "field",
    kind: kind.kind,
    apiVersion: kind.apiVersion,
    path: pathOf(steps),
    type: typeName(field.type),
    description: field.doc,
    ...(field.default === undefined ? {} : { default: field.default }),
    ...(limits === undefined ? {} : { bounds: `${limits[0]} to ${limits[1]}` }),
    ...(values === undefined || values.length === 0 ? {} : { values }),
    ...(needs === undefined ? {} : { needs }),
    emulation: emulation(field, steps.slice(0, -1), kind),
    fields: annotations
      ? annotationRows(steps.some((step) => step.name === "template") || kind.kind === "Revision")
      : inside.kind === "object"
        ? fieldsOf(inside.shape(), steps, kind)
        : [],
  };
}

function ofMapEntry(place: FieldPlace, key: string, profile: Profile): Explanation | NotExplained {
  const last = place.steps.at(-1);
  if (last?.name === "annotations") {
    const annotation = knownAnnotation(key);
    return annotation === undefined ? unknownAnnotation(key) : ofAnnotation(annotation, key);
  }
  const holder = ofField(place, profile);
  const { type } = last?.field ?? {};
  return {
    ...holder,
    path: `${holder.path}.${key}`,
    type: type?.kind === "map" ? typeName(type.of) : holder.type,
    description: `An entry of \`${last?.name ?? ""}\`: ${holder.description}`,
    fields: [],
  };
}

function ofAnnotation(annotation: KnownAnnotation, asked: string): Explanation {
  const { keys, doc, default: preset, bounds, note, onRevision, onService } = annotation;
  const aliases = keys.slice(1);
  const places = [
    ...(onRevision ? ["spec.template.metadata.annotations"] : []),
    ...(onService ? ["metadata.annotations"] : []),
  ];
  return {
    subject: "annotation",
    path: keys[0],
    type: "string",
    description: asked === keys[0] ? doc : `${doc} (${asked} is another spelling of it.)`,
    ...(preset === undefined ? {} : { default: preset }),
    ...(bounds === undefined ? {} : { bounds }),
    ...(aliases.length === 0 ? {} : { aliases }),
    goesOn: places.join(" or "),
    emulation: note === undefined ? { level: "emulated" } : { level: "accepted", note },
    fields: [],
  };
}

function fieldsOf(shape: Shape, above: FieldPlace["steps"], kind: Kind): ExplainedField[] {
  return [...shape.fields]
    .filter(([, field]) => field.closed !== true)
    .map(([name, field]) => ({
      name,
      type: typeName(field.type),
      description: field.doc,
      emulation: emulation(field, above, kind),
    }));
}

function annotationRows(onTemplate: boolean): ExplainedField[] {
  return ANNOTATIONS.filter(({ onRevision, onService }) => (onTemplate ? onRevision : onService)).map(
    ({ keys, doc, note }) => ({
      name: keys[0],
      type: "string",
      description: doc,
      emulation: note === undefined ? { level: "emulated" } : { level: "accepted", note },
    }),
  );
}

function emulation(field: Field, above: FieldPlace["steps"], kind: Kind): Emulation {
  const own = emulationOf(field, above);
  return own.level === "emulated" ? kindEmulation(kind) : own;
}

function kindEmulation({ kind }: Kind): Emulation {
  return RUN.has(kind) ? { level: "emulated" } : { level: "accepted", note: NOT_RUN };
}

function kindText({ kind }: Kind): string {
  const texts: Readonly<Record<string, string>> = {
    Service: "An app: how its instances are made, and how its requests are shared among revisions.",
    Configuration: "The template of revisions, without a route. A Service makes its own.",
    Revision: "One unchanging version of an app. A Configuration makes them.",
    Route: "How requests are shared among revisions. A Service makes its own.",
    DomainMapping: "A domain of your own that leads to a Service.",
    ConfigMap: "Settings for apps; under the names config-*, settings of the platform itself.",
    Secret: "Secret settings for apps.",
  };
  return texts[kind] ?? "";
}

function unknownField({ kind, steps, unknown, names }: PathFault): NotExplained {
  const parent = pathOf(steps);
  const prefix = kind === SERVICE ? "" : `${kind.kind.toLowerCase()}.`;
  if (names.length === 0) {
    const message = `${prefix}${parent} is a single value: there is no field ${unknown} in it.`;
    return { subject: "unknown", message, suggestions: [prefix + parent] };
  }
  const close = nearest(unknown, names);
  const beside = close === undefined ? [] : [parent === "" ? close : `${parent}.${close}`];
  const elsewhere = placesOf(kind, (name) => name.toLowerCase() === unknown.toLowerCase());
  const annotations = ANNOTATIONS.map(({ keys }) => keys[0]).filter((key) => isNamed(key, unknown));
  const exact = [...beside, ...elsewhere].map((path) => prefix + path);
  const similar =
    exact.length + annotations.length > 0
      ? []
      : placesOf(kind, (name) => nearest(unknown, [name]) !== undefined).map((path) => prefix + path);
  return {
    subject: "unknown",
    message: `There is no field ${unknown} in ${parent === "" ? `a ${kind.kind}` : prefix + parent}.`,
    suggestions: [...new Set([...exact, ...annotations, ...similar])].slice(0, MOST_SUGGESTIONS),
  };
}

/** `minScale`, `min-scale` and `MinScale` are autoscaling.knative.dev/min-scale to people. */
function isNamed(key: string, word: string): boolean {
  const plain = (text: string): string => text.toLowerCase().replaceAll(/[-.]/g, "");
  return plain(key.slice(key.indexOf("/") + 1)) === plain(word);
}

function unknownAnnotation(key: string): NotExplained {
  const keys = ANNOTATIONS.flatMap((annotation) => annotation.keys);
  const near = nearest(key, keys);
  const domain = key.slice(0, key.indexOf("/") + 1);
  const same = keys.filter((known) => domain !== "" && known.startsWith(domain));
  return {
    subject: "unknown",
    message: `Neither the platform nor the emulator reads an annotation ${key}.`,
    suggestions: near === undefined ? same.slice(0, MOST_SUGGESTIONS * 3) : [near],
  };
}
