/**
 * Which instance gets the next request (knative/serving pkg/activator/net/lb_policy.go): without a limit the better of
 * two at random; with a limit of 1 to 3 the first with a free slot; above that round robin over those with one.
 */
export interface Candidate {
  readonly inFlight: number;
}

export interface PickState {
  /** Where round robin goes on. */
  readonly next: number;
}

export interface Pick {
  /** Index into the candidates; undefined = none has a free slot. */
  readonly index: number | undefined;
  readonly state: PickState;
}

const FIRST_AVAILABLE_UP_TO = 3;

/** `limit` 0 = none; `random` gives [0, 1). */
export function pick(
  candidates: readonly Candidate[],
  limit: number,
  state: PickState,
  random: () => number,
): Pick {
  const count = candidates.length;
  if (count === 0) return { index: undefined, state };
  if (limit === 0) return { index: betterOfTwo(candidates, random), state };
  const isFree = (index: number): boolean => (candidates[index]?.inFlight ?? Infinity) < limit;
  const start = limit <= FIRST_AVAILABLE_UP_TO ? 0 : state.next;
  for (let step = 0; step < count; step += 1) {
    const index = (start + step) % count;
    if (isFree(index)) return { index, state: { next: (index + 1) % count } };
  }
  return { index: undefined, state };
}

function betterOfTwo(candidates: readonly Candidate[], random: () => number): number {
  const count = candidates.length;
  if (count === 1) return 0;
  const first = Math.floor(random() * count);
  const offset = 1 + Math.floor(random() * (count - 1));
  const second = (first + offset) % count;
  return (candidates[second]?.inFlight ?? 0) < (candidates[first]?.inFlight ?? 0) ? second : first;
}
