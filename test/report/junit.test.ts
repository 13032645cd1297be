import { expect, it } from "vitest";
import { junitXml } from "../../src/report/junit.ts";
import { DOUBTFUL, GOOD, reportOn, WRONG } from "./validation-rig.ts";

it("has a suite for each file and a case for each document", () => {
  const xml = junitXml(reportOn({ "a.yaml": `${WRONG}---\n${DOUBTFUL}`, "b.yaml": GOOD }));
  expect(xml.match(/<testsuites .*>/)?.[0]).toBe(
    '<testsuites name="kserve-local validate" tests="3" failures="1" errors="0">',
  );
  expect(xml.match(/<testsuite .*>/g)).toEqual([
    '<testsuite name="a.yaml" tests="2" failures="1" errors="0" skipped="0">',
    '<testsuite name="b.yaml" tests="1" failures="0" errors="0" skipped="0">',
  ]);
  expect(xml.match(/<testcase [^>]*name="[^"]*"/g)).toEqual([
    '<testcase classname="a.yaml" name="Service wrong"',
    '<testcase classname="a.yaml" name="Service second"',
    '<testcase classname="b.yaml" name="Service good"',
  ]);
  expect(xml).toContain(
    'type="unknown-field">a.yaml:7:21: error: spec.template.spec.containers[0].imag: Unknown field',
  );
  expect(xml).toMatch(/<system-out>a\.yaml:\d+:\d+: warning: /);
});

it("is well formed whatever the file says", () => {
  const nasty = WRONG.replace("imag:", `"<i>&\\"'\\0\\e]]>\\uD800":`);
  const xml = junitXml(reportOn({ 'a"<&>.yaml': nasty, "empty.yaml": "" }));
  expect(xml).toContain('name="a&quot;&lt;&amp;&gt;.yaml"');
  expect(xml).toContain('name="document 0"');
  // oxlint-disable-next-line no-control-regex -- XML has no way to write them
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b-\u001f]/);
  // Outside of tags nothing is left that begins one, and every ampersand begins an entity.
  expect(xml.replaceAll(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
  expect(xml).not.toMatch(/&(?!(?:amp|lt|gt|quot|#10|#9);)/);
  for (const tag of ["testsuite", "testcase", "failure", "system-out"]) {
    const opened = xml.match(new RegExp(`<${tag}[ >]`, "g"))?.length ?? 0;
    const closed = xml.match(new RegExp(`</${tag}>|<${tag}[^>]*/>`, "g"))?.length ?? 0;
    expect(closed, tag).toBe(opened);
  }
});
