/** YAML as Kubernetes tools read it, and text that is no manifest. */
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/manifest/limits.ts";
import { resolvePlain } from "../../src/manifest/yaml-scalars.ts";
import { brief, errorsOf, judgeText, KNATIVE, onlyDocument, service } from "./manifests.ts";

describe("plain scalars", () => {
  it.each<[string, unknown]>([
    ["yes", true],
    ["Off", false],
    ["n", false],
    ["~", null],
    ["", null],
    ["010", 8n],
    ["0o17", 15n],
    ["0x1F", 31n],
    ["-0b11", -3n],
    ["1_000", 1000n],
    ["+5", 5n],
    ["1e2", 100],
    ["08", 8],
    [".5", 0.5],
    ["12:30:45", "12:30:45"],
    ["2024-01-01", "2024-01-01"],
    ["1.2.3", "1.2.3"],
    ["0x", "0x"],
    ["1e999", "1e999"],
    ["18446744073709551615", 18446744073709551615n],
    ["18446744073709551616", 18446744073709552000],
    ["yEs", "yEs"],
    [".", "."],
    ["-", "-"],
    ["9".repeat(1000), "9".repeat(1000)],
  ])("%j is %s", (text, value) => {
    expect(resolvePlain(text)).toEqual(value);
  });
});

describe("documents", () => {
  it("takes anchors, merge keys and JSON, also with tabs, and a byte order mark and CRLF", () => {
    const anchors = service({
      container: "resources:\n  limits: &r {cpu: 500m, memory: 64Mi}\n  requests:\n    <<: *r\n    cpu: 250m",
    });
    expect(onlyDocument(anchors).object).toMatchObject({
      spec: {
        template: { spec: { containers: [{ resources: { requests: { cpu: "250m", memory: "64Mi" } } }] } },
      },
    });
    const json =
      '{\n\t"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "a"},\n\t"spec": {"template": {"spec": {"containers": [{"image": "app"}]}}}\n}';
    expect(errorsOf(json)).toEqual([]);
    expect(errorsOf(`\ufeff${service()}`.replaceAll("\n", "\r\n"))).toEqual([]);
    expect(errorsOf(service({ container: "port: 1" }).replaceAll("\n", "\r\n"))).toEqual([
      "unknown-field spec.template.spec.containers[0].port 10:9",
    ]);
  });

  it("takes UTF-16 with a byte order mark, as PowerShell writes it", () => {
    expect(judgeText(Buffer.from(`\ufeff${service()}`, "utf16le")).valid).toBe(true);
    expect(judgeText(Buffer.from(`\ufeff${service()}`, "utf16le").swap16()).valid).toBe(true);
  });

  it("counts documents without empty ones", () => {
    const { documents } = judgeText(
      `---\n# nothing\n---\n${service()}---\n\n---\n${service({ container: "x: 1" })}`,
    );
    expect(documents.map(({ index, valid }) => ({ index, valid }))).toEqual([
      { index: 0, valid: true },
      { index: 1, valid: false },
    ]);
    expect(documents[1]?.problems.map(brief)).toEqual([
      "unknown-field spec.template.spec.containers[0].x 25:9",
    ]);
  });

  it("warns of a key that is given twice and takes the last", () => {
    const document = onlyDocument(service({ container: "image: other" }));
    expect(document.problems.filter(({ severity }) => severity === "warning").map(brief)).toEqual([
      "duplicate-key  10:9",
    ]);
    expect(document.object).toMatchObject({
      spec: { template: { spec: { containers: [{ image: "other" }] } } },
    });
  });

  it("turns keys into strings", () => {
    expect(errorsOf(service({ after: "on: 1\n5: 1" }))).toEqual([
      "unknown-field spec.true 10:3",
      "unknown-field spec.5 11:3",
    ]);
  });

  it("opens a List under gke, and not under knative", () => {
    const list =
      "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: B}\n";
    const { documents } = judgeText(list, { profile: "gke" });
    expect(documents.map(({ name, valid, problems }) => [name, valid, problems.map(brief)])).toEqual([
      ["a", true, []],
      ["B", false, ["bad-name metadata.name 9:20"]],
    ]);
    expect(documents[1]?.positionOf("metadata")).toEqual({ line: 9, column: 3 });
    expect(errorsOf(list, KNATIVE)).toEqual(["foreign-kind  1:13"]);
  });

  it("resolves tags of YAML's own", () => {
    const env = (value: string) => service({ container: `env:\n- name: A\n  value: ${value}` });
    expect(errorsOf(env("!!str 5"))).toEqual([]);
    expect(errorsOf(env("!!int 5"))).toEqual([
      "wrong-type spec.template.spec.containers[0].env[0].value 12:24",
    ]);
    expect(errorsOf(env("!!int x"))).toEqual(["bad-tag  12:24"]);
    expect(errorsOf(env("!custom x"))).toEqual([]);
    expect(onlyDocument(env("!!binary aGk=")).object).toMatchObject({
      spec: { template: { spec: { containers: [{ env: [{ value: "hi" }] }] } } },
    });
  });
});

describe("text that is no manifest", () => {
  it.each<[string, string | Uint8Array, string]>([
    ["nothing", "", "no-document  1:1"],
    ["comments", "# a\n# b\n", "no-document  1:1"],
    ["a scalar", "hello", "not-an-object  1:1"],
    ["a list", "- a", "not-an-object  1:1"],
    ["tabs", "metadata:\n\tname: a", "yaml-syntax  2:1"],
    ["an open bracket", "a: [1, 2", "yaml-syntax  1:9"],
    ["NUL", "a: 1\nb: x\0y", "control-character  2:5"],
    ["a byte of no character", Buffer.from([0x61, 0x3a, 0x0a, 0xc3, 0xa9, 0x20, 0xff]), "not-utf8  2:3"],
    ["an unknown anchor", "a: *b", "unknown-anchor  1:4"],
    ["an anchor in itself", "a: &a [*a]", "alias-loop  1:8"],
    ["a merge of a scalar", "a: 1\n<<: 5", "bad-merge  2:5"],
    ["a list as a key", "? [a]\n: b", "bad-key  1:3"],
    ["infinity", "a: .inf", "not-a-number  1:4"],
    ["a directive", "%YAML 1.2\n---\na: 1", "yaml-directive  1:1"],
    ["depth", `a: ${"[".repeat(LIMITS.depth + 10)}`, "too-deep  1:104"],
    [
      "depth by aliases",
      ["a0: &a0 [x]", ...Array.from({ length: 150 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}]`)].join("\n"),
      "too-deep  1:9",
    ],
    [
      "a bomb of aliases",
      [
        "a0: &a0 [x,x,x,x,x,x,x,x,x,x]",
        ...Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(10)}]`),
      ].join("\n"),
      "too-many-values  1:9",
    ],
    ["size", "x".repeat(LIMITS.sourceBytes + 1), "too-large  1:1"],
    ["many documents", "a: 1\n---\n".repeat(LIMITS.documents + 2), "too-many-documents  4001:1"],
  ])("%s", (_, text, problem) => {
    const { problems, valid } = judgeText(text);
    expect(problems.map(brief)).toContain(problem);
    expect(valid).toBe(false);
  });
});
