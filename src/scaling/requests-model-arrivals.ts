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
  for (let group = 0; group < GROUPS; group++) {
    const amount = poisson(rate / GROUPS, random);
    if (amount > 0) arrive((group * SECOND_MS) / GROUPS, amount);
  }
}

function poisson(mean: number, random: () => number): number {
  if (mean > NORMAL_FROM) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return Math.max(0, Math.round(mean + normal * Math.sqrt(mean)));
  }
  const least = Math.exp(-mean);
  let amount = 0;
  for (let product = random(); product > least; product *= random()) amount++;
  return amount;
}
