/**
 * The convention of the examples' READMEs, so that what they say is run and compared:
 * in a fenced block with the info string `sh`, a line that begins with `$ ` is a command; the lines up to the next one,
 * if there are any, are all that it prints. `…` in such a line stands for any text. A command that begins with
 * `kserve-local up` goes on in the background until the end of the README.
 */
export interface ReadmeCommand {
  readonly command: string;
  /** Empty where the README shows no output: then any will do. */
  readonly expected: readonly string[];
  /** In the README, counting from 1. */
  readonly line: number;
}

/** Throws where a block of the kind begins with anything but a command. */
export function readmeCommands(markdown: string): ReadmeCommand[] {
  const commands: { command: string; expected: string[]; line: number }[] = [];
  let inside = false;
  let current: { command: string; expected: string[]; line: number } | undefined;
  for (const [index, text] of markdown.split("\n").entries()) {
    if (text.startsWith("```")) {
      inside = !inside && text === "```sh";
      current = undefined;
    } else if (inside && text.startsWith("$ ")) {
      current = { command: text.slice(2), expected: [], line: index + 1 };
      commands.push(current);
    } else if (inside) {
      if (current === undefined)
        throw new Error(`line ${index + 1}: a sh block begins with "$ " and a command`);
      current.expected.push(text);
    }
  }
  return commands;
}

/** True where `output` is what the README shows. */
export function matchesExpected(output: string, expected: readonly string[]): boolean {
  const lines = output.replace(/\n$/, "").split("\n");
  return (
    lines.length === expected.length && expected.every((line, index) => lineMatches(lines[index] ?? "", line))
  );
}

function lineMatches(line: string, expected: string): boolean {
  const pattern = expected.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${pattern.join(".*")}$`).test(line);
}
