/** Order statistics of a sample, and of pairs taken side by side. */

/** `{ n, median, p10, p90 }`, rounded to `digits`; medians because one slow outlier must not speak for the rest. */
export function summary(values, digits = 2) {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    n: sorted.length,
    median: round(quantile(sorted, 0.5), digits),
    p10: round(quantile(sorted, 0.1), digits),
    p90: round(quantile(sorted, 0.9), digits),
  };
}

/** Of pairs from the same round, so that a slow moment of the machine weighs on both sides. */
export function compare(ours, baseline, digits = 2) {
  const pairs = ours.map((value, index) => [value, baseline[index]]);
  return {
    ours: summary(ours, digits),
    baseline: summary(baseline, digits),
    difference: summary(
      pairs.map(([a, b]) => a - b),
      digits,
    ),
    ratio: summary(
      pairs.map(([a, b]) => a / b),
      3,
    ),
  };
}

/** Of what happened between the marks of each round: `{ stage: ms }` each. */
export function stageSummaries(rounds) {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [
      name,
      summary(
        rounds.map((round) => round[name]),
        1,
      ),
    ]),
  );
}

function quantile(sorted, q) {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * q;
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - below);
}

function round(value, digits) {
  return Number(value.toFixed(digits));
}
