/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly name: string;
  readonly rest: string;
  /** Where it begins, counted from 1. */
  readonly line: number;
}

export interface DockerfileText {
  readonly instructions: readonly Instruction[];
  /** `\`, or what `# escape=` says. */
  readonly escape: string;
}

/**
 * Cuts a Dockerfile into instructions: parser directives, comments (also between continuation lines), continuations
 * and heredocs, whose bodies are skipped. Never fails: what isn't an instruction comes out as one nobody knows.
 * https://docs.docker.com/reference/dockerfile/#format
 */
export function readInstructions(text: string): DockerfileText {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  const escape = escapeDirective(lines);
  const continued = new RegExp(`${escape === "\\" ? "\\\\" : "`"}[ \\t]*$`);
  const instructions: Instruction[] = [];
  for (let index = 0; index < lines.length;) {
    const line = index + 1;
    let joined = "";
    for (let more = true; more && index < lines.length; index += 1) {
      const part = lines[index] ?? "";
      if (/^\s*(#|$)/.test(part)) {
        more = joined !== "";
        continue;
      }
      more = continued.test(part);
      joined += more ? part.replace(continued, "") : part;
    }
    const match = /^\s*([A-Za-z]+)(?:\s+(.*))?$/s.exec(joined);
    if (match?.[1] === undefined) continue;
    const instruction = { name: match[1].toUpperCase(), rest: (match[2] ?? "").trim(), line };
    instructions.push(instruction);
    index = afterHeredocs(instruction, lines, index);
  }
  return { instructions, escape };
}

/** Directives stand at the very top: the first line that isn't one ends them. */
function escapeDirective(lines: readonly string[]): string {
  for (const line of lines) {
    const match = /^\s*#\s*([A-Za-z]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (match === null) break;
    if (match[1]?.toLowerCase() === "escape" && match[2] === "`") return "`";
  }
  return "\\";
}

/** The index of the line after the bodies of the instruction's heredocs. */
function afterHeredocs(instruction: Instruction, lines: readonly string[], start: number): number {
  if (!["RUN", "COPY", "ADD"].includes(instruction.name)) return start;
  let index = start;
  for (const match of instruction.rest.matchAll(/(?:^|\s)\d*<<(-?)(["']?)([^\s<"']+)\2(?=\s|$)/g)) {
    const [, dash, , word] = match;
    const end = lines.findIndex(
      (line, at) => at >= index && (dash === "-" ? line.replace(/^\t+/, "") : line) === word,
    );
    // Without its end it can't be a heredoc: the text goes on as instructions.
    if (end < 0) return start;
    index = end + 1;
  }
  return index;
}
