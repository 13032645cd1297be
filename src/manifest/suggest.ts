/** "Did you mean": the candidate nearest to what was written, if it is near enough to be a slip. */

const MAX_LENGTH = 64;

export function nearest(written: string, candidates: Iterable<string>): string | undefined {
  if (written.length === 0 || written.length > MAX_LENGTH) return undefined;
  const lower = written.toLowerCase();
  const allowed = written.length <= 4 ? 1 : written.length <= 9 ? 2 : 3;
  let best: string | undefined;
  let bestDistance = allowed + 1;
  for (const candidate of candidates) {
    if (candidate === "" || candidate === written) continue;
    if (candidate.toLowerCase() === lower) return candidate;
    if (Math.abs(candidate.length - written.length) >= bestDistance) continue;
    const distance = editDistance(lower, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best ?? containing(lower, [...candidates]);
}

export function didYouMean(written: string, candidates: Iterable<string>): string | undefined {
  const near = nearest(written, candidates);
  return near === undefined ? undefined : `Did you mean "${near}"?`;
}

/** A part of the one candidate that has it: `timeout` for timeoutSeconds, `name` for secretName. */
function containing(lower: string, candidates: readonly string[]): string | undefined {
  if (lower.length < 3) return undefined;
  const holders = candidates.filter((candidate) => candidate.toLowerCase().includes(lower));
  const starters = holders.filter((candidate) => candidate.toLowerCase().startsWith(lower));
  if (holders.length === 1) return holders[0];
  return starters.length === 1 ? starters[0] : undefined;
}

/** Damerau-Levenshtein with adjacent transpositions, two rows and one before. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        value = Math.min(value, (before[j - 2] ?? 0) + 1);
      row.push(value);
    }
    [before, previous] = [previous, row];
  }
  return previous[b.length] ?? 0;
}
