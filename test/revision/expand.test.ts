import { expect, it } from "vitest";
import { expand } from "../../src/revision/expand.ts";

const values: Readonly<Record<string, string>> = { PORT: "8080", EMPTY: "", NESTED: "$(PORT)" };

// The cases of Kubernetes' own expansion (third_party/forked/golang/expansion).
it.each([
  ["$(PORT)", "8080"],
  ["--port=$(PORT) --again=$(PORT)", "--port=8080 --again=8080"],
  ["$(EMPTY)|", "|"],
  ["$(UNKNOWN)", "$(UNKNOWN)"],
  ["$$(PORT)", "$(PORT)"],
  ["$$$(PORT)", "$8080"],
  ["$$$$(PORT)", "$$(PORT)"],
  ["$(NESTED)", "$(PORT)"],
  ["$($(PORT))", "$($(PORT))"],
  ["$(PORT", "$(PORT"],
  ["$PORT", "$PORT"],
  ["${PORT}", "${PORT}"],
  ["$", "$"],
  ["a$", "a$"],
  ["$$", "$"],
  ["$()", "$()"],
  ["", ""],
])("%s becomes %s", (text, expanded) => {
  expect(expand(text, (name) => values[name])).toBe(expanded);
});
