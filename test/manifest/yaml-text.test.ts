/** What `config` writes is read back as it was, by our own reader, which reads as kubectl does. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { readSource } from "../../src/manifest/source-documents.ts";
import { toYaml } from "../../src/manifest/yaml-text.ts";

function readBack(value: Readonly<Record<string, string>>): Record<string, unknown> {
  const [document] = readSource({ file: "x", text: toYaml(value) }).documents;
  return Object.fromEntries((document?.value ?? new Map()) as Map<string, unknown>);
}

const TRAPS = [
  ..."yes no on off y n Y true null ~ 0 0644 0o17 0x1f 0b1 1_000 1e3 .5 5. +1 -0 .inf .nan 12:30 2026-01-01 = <<".split(
    " ",
  ),
  ..."- ? : [] {} # & * ! | > % @ ` ' \"".split(" "),
  "",
  " ",
  "a: b",
  "a #b",
  "- a",
  "two\nlines",
  "trailing\n\n",
  "\ttab",
  "---",
  "...",
  "\u0085",
  "\u2028",
  "é",
  "x".repeat(300),
  "word ".repeat(60),
  "18446744073709551616",
];

it.each(TRAPS)("%j stays a string", (text) => {
  expect(readBack({ value: text })).toEqual({ value: text });
});

it("any text does", () => {
  const character = fc.oneof(
    fc.constantFrom(..."0123456789.eExXoObB_+-:~ \n#'\"&*!|>%@`{}[],yYnN<=".split("")),
    fc.string({ minLength: 1, maxLength: 1 }),
  );
  const text = fc.array(character, { maxLength: 12 }).map((all) => all.join(""));
  fc.assert(
    fc.property(text, (value) => {
      expect(readBack({ value })).toEqual({ value });
    }),
    { numRuns: 2000 },
  );
});

it("keys, too", () => {
  for (const key of ["on", "yes", "0644", "1", "null", "<<", "a: b"])
    expect(readBack({ [key]: "x" })).toEqual({ [key]: "x" });
});

it("quotes what only other readers of YAML 1.1 misread", () => {
  for (const text of ["12:30", "2026-01-31", "="]) expect(toYaml({ value: text })).toBe(`value: "${text}"\n`);
  expect(toYaml({ image: "registry.local:5000/a/b:1.2", time: "60s", count: 1, on: true })).toBe(
    'image: registry.local:5000/a/b:1.2\ntime: 60s\ncount: 1\n"on": true\n',
  );
});
