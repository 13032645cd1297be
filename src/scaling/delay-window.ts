/** The autoscaler decides this often. */
export const TICK_MS = 2000;

interface Entry {
  readonly slot: number;
  readonly value: number;
}

/**
 * The greatest count decided within the scale-down delay, in slots of one tick. Source: knative/serving
 * pkg/autoscaler/aggregation/max. Only entries that may still become the greatest are kept, in falling order, so each
 * is added once and removed once.
 */
export class DelayWindow {
  readonly #slots: number;
  readonly #entries: Entry[] = [];

  constructor(delayMs: number) {
    this.#slots = Math.max(1, Math.ceil(delayMs / TICK_MS));
  }

  /** Adds a decision and returns the greatest one of the delay that ends at `now`. */
  record(now: number, value: number): number {
    const slot = Math.floor(Math.floor(now / 1000) / (TICK_MS / 1000));
    const entries = this.#entries;
    while ((entries.at(-1)?.value ?? Infinity) <= value) entries.pop();
    while (slot - (entries[0]?.slot ?? slot) >= this.#slots) entries.shift();
    // Two decisions in one slot: the greater one stands for both.
    if (entries.at(-1)?.slot !== slot) entries.push({ slot, value });
    return entries[0]?.value ?? value;
  }

  clone(): DelayWindow {
    const copy = new DelayWindow(this.#slots * TICK_MS);
    copy.#entries.push(...this.#entries);
    return copy;
  }
}
