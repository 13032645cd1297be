/** Which line of the Dockerfile a build step carries out, and the images that it builds from. */
import type { Instruction } from "../process/dockerfile-instructions.ts";

/** The line whose instruction a step carries out: `[build 2/4] RUN npm ci`, or the classic `RUN npm ci`. */
export function lineOfStep(instructions: readonly Instruction[], step: string): number | undefined {
  const text = collapse(step.replace(/^\[[^\]]*\]\s*/, ""));
  const same = instructions.filter(({ name, rest }) => collapse(`${name} ${rest}`) === text);
  if (same.length === 1) return same[0]?.line;
  return lineByCount(instructions, step);
}

/** `[<stage> 2/4]`: the second of the stage's instructions that make a layer, FROM being the first. */
function lineByCount(instructions: readonly Instruction[], step: string): number | undefined {
  const [, stage = "", count] = /^\[(?:(\S+) )?(\d+)\/\d+\]/.exec(step) ?? [];
  if (count === undefined) return undefined;
  const starts = instructions.flatMap(({ name }, index) => (name === "FROM" ? [index] : []));
  const begin =
    starts.find(
      (index, order) => stageName(instructions[index]?.rest ?? "", order) === stage.toLowerCase(),
    ) ?? starts.at(-1);
  if (begin === undefined) return undefined;
  const end = starts.find((index) => index > begin) ?? instructions.length;
  const layers = instructions
    .slice(begin, end)
    .filter(({ name }) => /^(?:FROM|RUN|COPY|ADD|WORKDIR)$/.test(name));
  return layers[Number(count) - 1]?.line;
}

function stageName(from: string, order: number): string {
  return /\sAS\s+(\S+)$/i.exec(from)?.[1]?.toLowerCase() ?? `stage-${order}`;
}

/** Images named in FROM, stages and `scratch` left out; those with a variable in them can't be told. */
export function baseImages(instructions: readonly Instruction[]): string[] {
  const stages = new Set<string>(["scratch"]);
  const images = new Set<string>();
  for (const { name, rest } of instructions) {
    if (name !== "FROM") continue;
    const [image = ""] = rest.replace(/^(?:--\S+\s+)+/, "").split(/\s/);
    if (image !== "" && !image.includes("$") && !stages.has(image.toLowerCase())) images.add(image);
    const stage = /\sAS\s+(\S+)$/i.exec(rest)?.[1];
    if (stage !== undefined) stages.add(stage.toLowerCase());
  }
  return [...images];
}

function collapse(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
