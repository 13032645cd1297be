/** The last lines that a build step printed, for the message should it fail. */
const KEPT = 15;

export class StepOutput {
  #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }

  last(): readonly string[] {
    return this.#lines;
  }
}
