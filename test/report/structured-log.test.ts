import { describe, expect, it } from "vitest";
import { parseStructuredLog } from "../../src/report/structured-log.ts";

describe("structured logs", () => {
  it.each([
    [
      "Google's names",
      {
        severity: "WARNING",
        message: "cold",
        time: "2026-01-01T00:00:00Z",
        user: "anna",
        "logging.googleapis.com/trace": "t",
      },
      { severity: "WARNING", message: "cold", fields: ["user=anna"] },
    ],
    ["no severity", { message: "hi" }, { severity: "DEFAULT", message: "hi", fields: [] }],
    [
      "pino",
      { level: 50, time: 1, msg: "boom", pid: 3 },
      { severity: "ERROR", message: "boom", fields: ["pid=3"] },
    ],
    [
      "zap, slog",
      { level: "info", msg: "hi", a: "b c" },
      { severity: "INFO", message: "hi", fields: ['a="b c"'] },
    ],
    [
      "nested values",
      { message: "hi", a: { b: [1] }, c: null },
      { severity: "DEFAULT", message: "hi", fields: ['a={"b":[1]}', "c=null"] },
    ],
  ])("%s", (_name, entry, expected) => {
    expect(parseStructuredLog(JSON.stringify(entry))).toEqual(expected);
  });

  it.each([
    ["text", "listening on 8080"],
    ["JSON that is no log entry", '{"answer":42}'],
    ["a message that is no text", '{"message":{"a":1}}'],
    ["a severity that is none", '{"message":"a","severity":{}}'],
    ["an array", '["message"]'],
    ["broken JSON", '{"message":"a"'],
    ["braces that are no JSON", "{message}"],
  ])("%s is left alone", (_name, line) => {
    expect(parseStructuredLog(line)).toBeUndefined();
  });
});
