/** The Date field (RFC 9110 section 6.6.1) for answers that come without one: made once a second. */
export class HttpDate {
  #second = -1;
  #text = "";

  /**
   * From the wall clock, not a Clock: that is monotonic, and would be off by hours after a laptop has slept, which caches
   * would take for age. Node's own server reads the wall clock here as well.
   */
  text(): string {
    const now = new Date();
    const second = Math.floor(now.getTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = now.toUTCString();
    }
    return this.#text;
  }
}
