/** Above this many requests a second they come in groups: a day of thousands a second costs no more than of a hundred. */
const ONE_BY_ONE_UP_TO = 100;
const GROUPS = 50;
const SECOND_MS = 1000;
/** Above this mean the normal distribution stands in for Poisson's. */
const NORMAL_FROM = 30;

/** The requests of one second, as a Poisson process of `rate` a second: `arrive` gets the ms after its beginning, rising. */
export function arrivalsIn(
  rate: number,
  random: () => number,
  arrive: (afterMs: number, amount: number) => void,
): void {
  if (rate <= 0) return;
  if (rate <= ONE_BY_ONE_UP_TO) {
    const gap = (): number => (-Math.log(1 - random()) / rate) * SECOND_MS;
    for (let at = gap(); at < SECOND_MS; at += gap()) arrive(at, 1);
    return;
  }
  const amountIn = poisson(rate / GROUPS, random);
  for (let group = 0; group < GROUPS; group++) {
    const amount = amountIn();
    if (amount > 0) arrive((group * SECOND_MS) / GROUPS, amount);
  }
}

/** Amounts with this mean. */
function poisson(mean: number, random: () => number): () => number {
  if (mean > NORMAL_FROM) {
    const deviation = Math.sqrt(mean);
    return () => {
      const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      return Math.max(0, Math.round(mean + normal * deviation));
    };
  }
  const ofNone = Math.exp(-mean);
  return () => {
    let left = random() - ofNone;
    let amount = 0;
    // The probability of each further amount; when it vanishes in rounding there is nothing left to find.
    for (let part = ofNone; left >= 0 && part > 0; left -= part) part *= mean / ++amount;
    return amount;
  };
}
