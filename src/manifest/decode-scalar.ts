/** Single values: strings, numbers, booleans, quantities, times. */
import { found, type Finding } from "./finding.ts";
import { parseQuantity } from "./quantity.ts";
import { jsonNumber, nameOfRaw, type Raw } from "./raw.ts";

type ScalarKind = "string" | "boolean" | "int32" | "int64" | "quantity" | "intOrString" | "time";

const INT32 = [-(2n ** 31n), 2n ** 31n - 1n] as const;
const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const RFC3339 = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[-+]\d{2}:\d{2})$/;

export function decodeScalar(
  kind: ScalarKind,
  raw: Raw,
  path: string,
  findings: Finding[],
): string | number | boolean | undefined {
  const result = read(kind, raw);
  if (!(result instanceof Wrong)) return result;
  findings.push(found(result.code, path, `\`${nameAt(path)}\` ${result.message}`, result.hint));
  return undefined;
}

class Wrong {
  readonly message: string;
  readonly hint: string;
  readonly code: string;

  constructor(message: string, hint: string, code = "wrong-type") {
    this.message = message;
    this.hint = hint;
    this.code = code;
  }
}

function read(kind: ScalarKind, raw: Raw): string | number | boolean | Wrong {
  switch (kind) {
    case "string":
      return typeof raw === "string"
        ? raw
        : new Wrong(`must be a string, not ${describe(raw)}.`, stringHint(raw));
    case "boolean":
      return typeof raw === "boolean"
        ? raw
        : new Wrong(`must be true or false, not ${describe(raw)}.`, booleanHint(raw));
    case "int32":
      return readInteger(raw, INT32);
    case "int64":
      return readInteger(raw, INT64);
    case "intOrString":
      return typeof raw === "string" ? raw : readInteger(raw, INT32);
    case "quantity":
      return readQuantity(raw);
    case "time":
      return readTime(raw);
  }
}

function readInteger(raw: Raw, [min, max]: readonly [bigint, bigint]): number | Wrong {
  if (typeof raw !== "bigint" && typeof raw !== "number") {
    const quoted = typeof raw === "string" && /^\s*-?\d+\s*$/.test(raw);
    return new Wrong(
      `must be a whole number, not ${describe(raw)}.`,
      quoted ? "Remove the quotes." : "Write a whole number.",
    );
  }
  const value = Number(raw);
  if (!Number.isInteger(value))
    return new Wrong(
      `must be a whole number, not ${jsonNumber(raw)}.`,
      `Write ${Math.trunc(value)} or ${Math.ceil(value)}.`,
    );
  const exact = BigInt(raw);
  if (exact < min || exact > max)
    return new Wrong(
      `does not fit ${max === INT32[1] ? 32 : 64} bits: ${jsonNumber(raw)}.`,
      "Write a smaller number.",
    );
  return value;
}

function readQuantity(raw: Raw): string | Wrong {
  if (typeof raw !== "string" && typeof raw !== "bigint" && typeof raw !== "number") {
    return new Wrong(`must be a quantity, not ${nameOfRaw(raw)}.`, QUANTITY_HINT, "bad-quantity");
  }
  const text = typeof raw === "string" ? raw : jsonNumber(raw);
  const quantity = parseQuantity(text);
  if (typeof quantity !== "string") return quantity.canonical;
  const shown = text.length > 40 ? `${text.slice(0, 40)}...` : text;
  if (quantity === "format")
    return new Wrong(`is not a quantity: "${shown}".`, QUANTITY_HINT, "bad-quantity");
  return new Wrong(`has an unknown unit: "${shown}".`, suffixHint(text), "bad-quantity");
}

const QUANTITY_HINT =
  "Write a number with a unit and without spaces, e.g. 500m or 2 for cpu, 512Mi or 1Gi for memory.";

/** The slip is nearly always the case of the letters. */
function suffixHint(text: string): string {
  const [, number = "", unit = ""] = /^([-+.0-9]+)(.*)$/.exec(text.trim()) ?? [];
  const known = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "k", "m"].find(
    (suffix) => suffix.toLowerCase() === unit.toLowerCase().replace(/b$/, ""),
  );
  return known === undefined ? QUANTITY_HINT : `Did you mean "${number}${known}"?`;
}

function readTime(raw: Raw): string | Wrong {
  const time = typeof raw === "string" && RFC3339.test(raw) ? new Date(raw) : undefined;
  // Written back in UTC and without fractions, as metav1.Time does.
  if (time !== undefined && !Number.isNaN(time.getTime())) return time.toISOString().replace(/\.\d+Z$/, "Z");
  return new Wrong("must be a time such as 2026-01-31T12:00:00Z.", "Remove the field: the server sets it.");
}

function describe(raw: Raw): string {
  if (typeof raw === "bigint" || typeof raw === "number") return `the number ${jsonNumber(raw)}`;
  return nameOfRaw(raw);
}

function stringHint(raw: Raw): string {
  if (typeof raw === "boolean")
    return `Quote it: "${String(raw)}". YAML reads yes, no, on and off as booleans, too.`;
  return typeof raw === "bigint" || typeof raw === "number"
    ? `Quote it: "${jsonNumber(raw)}".`
    : "Write one string.";
}

function booleanHint(raw: Raw): string {
  return typeof raw === "string" && /^(?:true|false)$/i.test(raw)
    ? "Remove the quotes."
    : "Write true or false.";
}

function nameAt(path: string): string {
  const item = /([A-Za-z0-9_-]+)\[(\d+)\]$/.exec(path);
  if (item !== null) return `${item[1] ?? ""}[${item[2] ?? ""}]`;
  const annotation = /(?:annotations|labels|limits|requests|data|stringData)\.(.+)$/.exec(path);
  return annotation?.[1] ?? path.slice(path.lastIndexOf(".") + 1);
}
