/** First in, first out: groups of requests that came within one stretch of time (ms), which may be a moment. */
export class Cohorts {
  #from = new Float64Array(64);
  #to = new Float64Array(64);
  #amounts = new Float64Array(64);
  #head = 0;
  #length = 0;
  #total = 0;
  takenFrom = 0;
  takenTo = 0;

  /** Requests in all groups. */
  get total(): number {
    return this.#total;
  }

  /** When the oldest came; Infinity if there is none. */
  get oldest(): number {
    return this.#length === 0 ? Infinity : (this.#from[this.#head] ?? Infinity);
  }

  push(amount: number, from: number, to = from): void {
    if (amount <= 0) return;
    if (this.#length === this.#from.length) this.#grow();
    const place = (this.#head + this.#length) & (this.#from.length - 1);
    this.#from[place] = from;
    this.#to[place] = to;
    this.#amounts[place] = amount;
    this.#length++;
    this.#total += amount;
  }

  /** Takes the oldest group, and gives its amount. */
  shift(): number {
    const amount = this.#amounts[this.#head] ?? 0;
    this.#head = (this.#head + 1) & (this.#from.length - 1);
    this.#length--;
    this.#total = this.#length === 0 ? 0 : this.#total - amount;
    return amount;
  }

  /** Takes at most `amount` of the oldest group, and gives how much; `takenFrom` and `takenTo` say when they came. */
  take(amount: number): number {
    const head = this.#head;
    const [from = 0, to = 0, there = 0] = [this.#from[head], this.#to[head], this.#amounts[head]];
    this.takenFrom = from;
    this.takenTo = to;
    if (amount >= there) return this.shift();
    this.takenTo = from + ((to - from) * amount) / there;
    this.#from[head] = this.takenTo;
    this.#amounts[head] = there - amount;
    this.#total -= amount;
    return amount;
  }

  #grow(): void {
    const unrolled = (old: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const larger = new Float64Array(old.length * 2);
      larger.set(old.subarray(this.#head));
      larger.set(old.subarray(0, this.#head), old.length - this.#head);
      return larger;
    };
    [this.#from, this.#to, this.#amounts] = [this.#from, this.#to, this.#amounts].map(unrolled) as [
      Float64Array<ArrayBuffer>,
      Float64Array<ArrayBuffer>,
      Float64Array<ArrayBuffer>,
    ];
    this.#head = 0;
  }
}
