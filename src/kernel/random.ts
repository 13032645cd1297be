/** The only place that makes random numbers; everything else takes a Random. */
export type Random = () => number;

/** [0, 1); good for spreading load and for names, not for secrets. */
export const systemRandom: Random = () => Math.random();
