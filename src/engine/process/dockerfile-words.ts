/** Gives a variable's value; undefined where it isn't set. */
export type Lookup = (name: string) => string | undefined;

/** A word can't be expanded; the message says which and why. */
export class ExpansionError extends Error {
  override readonly name = "ExpansionError";
}

/**
 * Expands one word as a Dockerfile does: `$a`, `${a}`, `${a:-b}`, `${a:+b}`, `${a:?b}` (and those without colon),
 * `${a#p}`, `${a##p}`, `${a%p}`, `${a%%p}`; quotes are removed, single quotes hide variables, the escape character
 * takes the next character as it is.
 * Throws ExpansionError. https://docs.docker.com/reference/dockerfile/#environment-replacement
 */
export function expandWord(text: string, lookup: Lookup, escape: string): string {
  return new Expansion(text, lookup, escape).run();
}

class Expansion {
  readonly #text: string;
  readonly #lookup: Lookup;
  readonly #escape: string;
  #at = 0;

  constructor(text: string, lookup: Lookup, escape: string) {
    this.#text = text;
    this.#lookup = lookup;
    this.#escape = escape;
  }

  run(): string {
    return this.#until("");
  }

  /** Up to `end` (consumed) or the end of the text. */
  #until(end: string): string {
    let out = "";
    while (this.#at < this.#text.length) {
      const char = this.#take();
      if (char === end) return out;
      if (char === "'") out += this.#untilSingleQuote();
      else if (char === '"') out += this.#untilDoubleQuote();
      else if (char === this.#escape) out += this.#take();
      else if (char === "$") out += this.#variable();
      else out += char;
    }
    return out;
  }

  #untilSingleQuote(): string {
    const end = this.#text.indexOf("'", this.#at);
    const stop = end < 0 ? this.#text.length : end;
    const out = this.#text.slice(this.#at, stop);
    this.#at = stop + 1;
    return out;
  }

  #untilDoubleQuote(): string {
    let out = "";
    while (this.#at < this.#text.length) {
      const char = this.#take();
      if (char === '"') return out;
      if (char === "$") out += this.#variable();
      else if (char === this.#escape) {
        const next = this.#take();
        out += next === '"' || next === "$" || next === this.#escape ? next : char + next;
      } else out += char;
    }
    return out;
  }

  #variable(): string {
    if (this.#text[this.#at] !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (this.#lookup(name) ?? "");
    }
    this.#at += 1;
    const name = this.#name();
    const operator = /^(?::[-+?]|##?|%%?|[-+?])/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += operator.length;
    const before = this.#at;
    const word = this.#until("}");
    if (name === "" || (operator === "" && this.#at !== before + 1)) throw this.#unsupported();
    return this.#apply(name, operator, word);
  }

  #apply(name: string, operator: string, word: string): string {
    const value = this.#lookup(name);
    const isSet = operator.startsWith(":") ? value !== undefined && value !== "" : value !== undefined;
    switch (operator.replace(":", "")) {
      case "-":
        return isSet ? (value ?? "") : word;
      case "+":
        return isSet ? word : "";
      case "?":
        if (isSet) return value ?? "";
        throw new ExpansionError(`${name}: ${word || "is not set"}`);
      case "":
        return value ?? "";
      default:
        return trim(value ?? "", operator, word);
    }
  }

  #name(): string {
    const name = /^(?:[A-Za-z_][A-Za-z0-9_]*|[0-9])/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += name.length;
    return name;
  }

  #take(): string {
    const char = this.#text[this.#at] ?? "";
    this.#at += 1;
    return char;
  }

  #unsupported(): ExpansionError {
    return new ExpansionError(`${this.#text}: this form of expansion isn't known here`);
  }
}

/** `#` cuts the pattern from the front, `%` from the end; doubled: the longest match instead of the shortest. */
function trim(value: string, operator: string, pattern: string): string {
  const matches = (part: string): boolean => globRegExp(pattern).test(part);
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator.length === 2) lengths.reverse();
  for (const length of lengths) {
    if (operator.startsWith("#") && matches(value.slice(0, length))) return value.slice(length);
    if (operator.startsWith("%") && matches(value.slice(value.length - length)))
      return value.slice(0, value.length - length);
  }
  return value;
}

function globRegExp(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${source}$`, "s");
}

/** Splits at white space outside quotes; quotes and escapes stay in the words. */
export function splitWords(text: string, escape: string): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === escape && quote !== "'") {
      word += char + (text[at + 1] ?? "");
      at += 1;
    } else if (quote === "" && /\s/.test(char)) {
      if (word !== "") words.push(word);
      word = "";
    } else {
      if (quote === char) quote = "";
      else if (quote === "" && (char === '"' || char === "'")) quote = char;
      word += char;
    }
  }
  if (word !== "") words.push(word);
  return words;
}

/** `a=b c="d e"`, or the old `a b c`: one variable, the rest its value. Values are not expanded. */
export function nameValues(text: string, escape: string): Array<readonly [name: string, value: string]> {
  const words = splitWords(text, escape);
  const first = words[0];
  if (first === undefined) return [];
  if (!first.includes("=")) return [[first, text.trim().slice(first.length).trim()]];
  return words
    .filter((word) => word.includes("="))
    .map((word) => [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]);
}
