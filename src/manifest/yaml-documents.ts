/** YAML text to documents: values as Kubernetes tools read them, the nodes they came from, and what is wrong. */
import { Composer, LineCounter, Parser, type CST, type Document, type Node } from "yaml";
import { LIMITS } from "./limits.ts";
import type { Raw } from "./raw.ts";
import { convertNode, ValueFault, type DuplicateKey } from "./yaml-value.ts";

export interface YamlFault {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly offset: number;
}

export interface YamlDocument {
  /** Undefined when there is a fault. */
  readonly value: Raw | undefined;
  readonly contents: Node | null;
  readonly offset: number;
  readonly faults: readonly YamlFault[];
  readonly duplicates: readonly DuplicateKey[];
}

export interface YamlStream {
  /** Without empty documents, which kubectl skips. */
  readonly documents: readonly YamlDocument[];
  readonly lines: LineCounter;
  /** A fault of the stream as a whole. */
  readonly fault?: YamlFault;
}

export function parseYaml(text: string): YamlStream {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = tokens.map((token) => deepToken(token)).find((offset) => offset !== undefined);
  if (tooDeep !== undefined) return { documents: [], lines, fault: depthFault(tooDeep) };
  const directive = tokens.find((token) => token.type === "directive");
  if (directive !== undefined) {
    const message = "kubectl does not take YAML directives: it cuts the file at `---` before it reads YAML.";
    return {
      documents: [],
      lines,
      fault: { code: "yaml-directive", message, hint: "Remove the line.", offset: directive.offset },
    };
  }
  const documents: YamlDocument[] = [];
  const composer = new Composer({
    schema: "failsafe",
    uniqueKeys: false,
    strict: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  for (const document of composer.compose(tokens)) {
    const read = readDocument(document);
    if (read.value === null && read.faults.length === 0) continue;
    documents.push(read);
    if (documents.length > LIMITS.documents) {
      const message = `More than ${LIMITS.documents} documents in one file.`;
      return {
        documents,
        lines,
        fault: { code: "too-many-documents", message, hint: "Split the file.", offset: read.offset },
      };
    }
  }
  return { documents, lines };
}

function readDocument(document: Document.Parsed): YamlDocument {
  const contents = document.contents as Node | null;
  const offset = contents?.range?.[0] ?? document.range[0];
  const error = document.errors[0];
  if (error !== undefined) {
    const faults = [
      {
        code: "yaml-syntax",
        message: syntaxMessage(error.message),
        hint: syntaxHint(error.code),
        offset: error.pos[0],
      },
    ];
    return { value: undefined, contents, offset, faults, duplicates: [] };
  }
  try {
    const { value, duplicates } = convertNode(contents);
    return { value, contents, offset, faults: [], duplicates };
  } catch (error) {
    if (!(error instanceof ValueFault)) throw error;
    const { code, message, hint } = error;
    return {
      value: undefined,
      contents,
      offset,
      faults: [{ code, message, hint, offset: error.offset }],
      duplicates: [],
    };
  }
}

function syntaxMessage(message: string): string {
  const first = message.split("\n")[0] ?? message;
  return `This is not YAML: ${first.charAt(0).toLowerCase()}${first.slice(1)}${first.endsWith(".") ? "" : "."}`;
}

function syntaxHint(code: string): string {
  if (code === "TAB_AS_INDENT") return "Indent with spaces: YAML does not take tabs.";
  if (code === "BAD_INDENT" || code === "MISSING_CHAR" || code === "BLOCK_AS_IMPLICIT_KEY") {
    return "Check the indentation of this line and of those before it, and that `:` is followed by a space.";
  }
  if (code === "MULTILINE_IMPLICIT_KEY")
    return "Check for a missing `:` or a missing quote in the line before.";
  return "Check this line and the one before it.";
}

function depthFault(offset: number): YamlFault {
  return {
    code: "too-deep",
    message: `Mappings and lists are nested more than ${LIMITS.depth} deep here; no Kubernetes object is.`,
    hint: "Check for a repeated bracket or a runaway indentation.",
    offset,
  };
}

/** Offset of the first token beyond the depth limit. Iterative: the composer after it recurses. */
function deepToken(root: CST.Token): number | undefined {
  const stack: Array<{ token: CST.Token; depth: number }> = [{ token: root, depth: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { token, depth } = top;
    if (depth > LIMITS.depth) return token.offset;
    if (token.type === "document" && token.value !== undefined) stack.push({ token: token.value, depth });
    if (!("items" in token)) continue;
    for (const item of token.items) {
      if (item.key) stack.push({ token: item.key, depth: depth + 1 });
      if (item.value) stack.push({ token: item.value, depth: depth + 1 });
    }
  }
  return undefined;
}
