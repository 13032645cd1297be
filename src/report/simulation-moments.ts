import type { SimulatedChange } from "./simulation-result.ts";

/** The changes that say most, in their order: starts from zero, panic, large steps, the most there were. */
export function chooseMoments(changes: readonly SimulatedChange[], most: number): SimulatedChange[] {
  if (changes.length <= most) return [...changes];
  const peak = changes.reduce((highest, change) => (change.instances > highest.instances ? change : highest));
  const weighed = changes.map((change, index) => ({
    change,
    weight: change === peak ? Infinity : weightOf(change, changes[index - 1]),
  }));
  const chosen = new Set(
    weighed
      .toSorted((a, b) => b.weight - a.weight)
      .slice(0, most)
      .map(({ change }) => change),
  );
  return changes.filter((change) => chosen.has(change));
}

function weightOf(change: SimulatedChange, before: SimulatedChange | undefined): number {
  const [from, to] = [before?.instances ?? 0, change.instances];
  if (before === undefined) return 1;
  const step = Math.abs(to - from) / Math.max(from, to, 1);
  const zero = from !== to && (from === 0 || to === 0) ? 1 : 0;
  const panic = change.panic === before.panic ? 0 : 1;
  return step + zero + panic + (to > from ? 0.5 : 0);
}
