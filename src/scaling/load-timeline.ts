import type { LoadSegment } from "./trace.ts";

export interface SecondOfLoad {
  readonly concurrency: number;
  readonly rps: number;
  readonly noData: boolean;
}

const NOTHING: SecondOfLoad = { concurrency: 0, rps: 0, noData: false };

/** The load of any second, in constant time. Seconds that no segment covers have none; of two segments the first counts. */
export function loadTimeline(
  segments: readonly LoadSegment[],
  duration: number,
): (second: number) => SecondOfLoad {
  const segmentOf = new Int32Array(Math.max(0, Math.floor(duration)) + 1).fill(-1);
  for (let index = segments.length - 1; index >= 0; index--) {
    const segment = segments[index];
    if (segment !== undefined) segmentOf.fill(index, clampToRange(segment.from), clampToRange(segment.to));
  }
  return (second) => {
    const segment = segments[segmentOf[second] ?? -1];
    return segment === undefined ? NOTHING : loadIn(segment, second);
  };
}

/** `fill` counts a negative place from the end, and a fraction of a second begins with the next one. */
function clampToRange(second: number): number {
  return Math.max(0, Math.ceil(second));
}

function loadIn(segment: LoadSegment, second: number): SecondOfLoad {
  // A ramp has its first value in its first second and its last value in its last one.
  const steps = segment.to - segment.from - 1;
  const part = steps > 0 ? (second - segment.from) / steps : 0;
  const ramp = (from: number, to: number): number => from + (to - from) * part;
  const { concurrency = 0, rps = 0 } = segment;
  return {
    concurrency: ramp(concurrency, segment.toConcurrency ?? concurrency),
    rps: ramp(rps, segment.toRps ?? rps),
    noData: segment.noData ?? false,
  };
}
