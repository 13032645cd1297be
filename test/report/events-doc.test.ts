/** docs/events.md and the PlatformEvent union say the same: read from the sources, not from memory. */
import { readFileSync } from "node:fs";
import { parseSync, type TSPropertySignature, type TSType } from "oxc-parser";
import { describe, expect, it } from "vitest";

const SOURCE = readFileSync(new URL("../../src/resources/events.ts", import.meta.url), "utf8");
const STATES = readFileSync(new URL("../../src/resources/instance-state.ts", import.meta.url), "utf8");
const PAGE = readFileSync(new URL("../../docs/events.md", import.meta.url), "utf8");

interface Field {
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
}

type Events = ReadonlyMap<string, readonly Field[]>;

function textOf(node: TSType): string {
  const text = SOURCE.slice(node.start, node.end)
    .replace(/^readonly /, "")
    .replace(/\s+/g, " ");
  return text.replace(/^\| /, "");
}

function fieldOf(member: TSPropertySignature): Field {
  if (member.key.type !== "Identifier" || member.typeAnnotation == null) throw new Error("an unusual field");
  return {
    name: member.key.name,
    type: textOf(member.typeAnnotation.typeAnnotation),
    optional: member.optional,
  };
}

/** Names of the members of `PlatformEvent`, wherever in its type they stand. */
function membersOf(type: TSType): string[] {
  if (type.type === "TSUnionType" || type.type === "TSIntersectionType") return type.types.flatMap(membersOf);
  if (type.type === "TSParenthesizedType") return membersOf(type.typeAnnotation);
  if (type.type === "TSTypeReference" && type.typeName.type === "Identifier") return [type.typeName.name];
  throw new Error(`an unusual part of PlatformEvent: ${type.type}`);
}

function readTypes(): Events {
  const { program, errors } = parseSync("events.ts", SOURCE);
  if (errors.length > 0) throw new Error(errors[0]?.message);
  const interfaces = new Map<string, readonly Field[]>();
  let members: string[] = [];
  for (const statement of program.body) {
    const node = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
    if (node?.type === "TSInterfaceDeclaration") {
      const fields = node.body.body.map((member) => {
        if (member.type !== "TSPropertySignature") throw new Error(`an unusual member of ${node.id.name}`);
        return fieldOf(member);
      });
      interfaces.set(node.id.name, fields);
    }
    if (node?.type === "TSTypeAliasDeclaration" && node.id.name === "PlatformEvent")
      members = membersOf(node.typeAnnotation);
  }
  const events = new Map<string, readonly Field[]>();
  for (const name of members.filter((member) => member !== "At")) {
    const fields = interfaces.get(name);
    if (fields === undefined) throw new Error(`${name} is not declared in events.ts`);
    const type = fields.find((field) => field.name === "type");
    events.set(
      JSON.parse(type?.type ?? "") as string,
      fields.filter((field) => field !== type),
    );
  }
  return events;
}

interface Section {
  readonly type: string;
  readonly fields: readonly Field[];
  readonly examples: readonly string[];
}

function readPage(): Section[] {
  return PAGE.split(/^## /m)
    .slice(1)
    .map((section) => ({
      type: /^`([^`]+)`/.exec(section)?.[1] ?? section,
      fields: [...section.matchAll(/^\| `([^`?]+)(\?)?` \| `((?:[^`|]|\\\|)+)` \|/gm)].map(
        ([, name = "", optional, type = ""]) => ({
          name,
          type: type.replaceAll("\\|", "|"),
          optional: optional === "?",
        }),
      ),
      examples: [...section.matchAll(/^```json\n([\s\S]*?)\n```$/gm)].map(([, example = ""]) => example),
    }));
}

const events = readTypes();
const sections = readPage();
const states = [...STATES.matchAll(/"(\w+)"/g)].map(([, state]) => state);

describe("docs/events.md", () => {
  it("has one section for each type of the union, in its order, and no other", () => {
    expect(events.size).toBeGreaterThan(10);
    expect(sections.map((section) => section.type)).toEqual([...events.keys()]);
  });

  it.each(sections)("$type: has each field with its type, and no other", ({ type, fields }) => {
    expect(fields).toEqual(events.get(type));
  });

  it.each(sections)("$type: has one example that is such an event", ({ type, examples }) => {
    expect(examples).toHaveLength(1);
    const example = JSON.parse(examples[0] ?? "") as Record<string, unknown>;
    expect(Object.keys(example).slice(0, 2)).toEqual(["time", "type"]);
    expect(example["type"]).toBe(type);
    expect(new Date(example["time"] as string).toISOString()).toBe(example["time"]);
    const fields = events.get(type) ?? [];
    const known = fields.map((field) => field.name);
    expect(
      Object.keys(example)
        .slice(2)
        .filter((name) => !known.includes(name)),
    ).toEqual([]);
    for (const field of fields) {
      if (field.name in example)
        expect(fits(example[field.name], field.type), `${field.name}: ${field.type}`).toBe(true);
      else expect(field.optional, field.name).toBe(true);
    }
  });

  it("names every state of an instance", () => {
    const section = PAGE.split(/^## /m).find((text) => text.startsWith("`instance.state`")) ?? "";
    expect(states.length).toBeGreaterThan(5);
    for (const state of states) expect(section).toContain(`\`${state}\``);
  });
});

function fits(value: unknown, type: string): boolean {
  if (type === "InstanceState") return states.includes(value as string);
  if (type === "string[]") return Array.isArray(value) && value.every((entry) => typeof entry === "string");
  if (type.startsWith('"')) return type.split(" | ").includes(JSON.stringify(value));
  return typeof value === type;
}
