/**
 * Gathers changed files until nothing has changed for a while: one save is often several writes, one checkout often
 * hundreds, and a file that is still being written must not be built.
 */
import type { CancelTimer, Clock } from "../kernel/clock.ts";

export interface SettlingOptions<Key> {
  /** Real time: people's saves do not run faster with `--time-scale`. */
  readonly clock: Clock;
  /** Quiet that ends a batch. */
  readonly debounceMs: number;
  /** A batch never waits longer than this for quiet: some apps log into their own source tree. */
  readonly longestMs: number;
  /** What tells two states of a file apart (size and time of change); must not reject. */
  fingerprint(path: string): Promise<string>;
  onBatch(batch: ReadonlyMap<string, ReadonlySet<Key>>): void;
}

/** Each file with the keys (contexts, "manifest") that it was seen for. */
export class Settling<Key> {
  readonly #options: SettlingOptions<Key>;
  readonly #keys = new Map<string, Set<Key>>();
  readonly #fingerprints = new Map<string, string>();
  #cancel: CancelTimer | undefined;
  #since = 0;
  #closed = false;
  /** Counts changes, so that a look at the files that was overtaken by one is thrown away. */
  #changes = 0;

  constructor(options: SettlingOptions<Key>) {
    this.#options = options;
  }

  changed(path: string, key: Key): void {
    if (this.#closed) return;
    if (this.#keys.size === 0) this.#since = this.#options.clock.now();
    const keys = this.#keys.get(path) ?? new Set();
    this.#keys.set(path, keys.add(key));
    this.#changes += 1;
    this.#fingerprints.clear();
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#keys.clear();
  }

  /**
   * The files are looked at twice, half a debounce apart: chokidar tells of one file at most every 50 ms, so that no
   * event does not mean no change. A save that is one quick burst thereby costs one debounce, no more.
   */
  #arm(): void {
    this.#cancel?.();
    const left = this.#since + this.#options.longestMs - this.#options.clock.now();
    const wait = Math.max(0, Math.min(this.#options.debounceMs / 2, left));
    this.#cancel = this.#options.clock.after(wait, () => void this.#look());
  }

  async #look(): Promise<void> {
    const changes = this.#changes;
    const paths = [...this.#keys.keys()];
    const now = await Promise.all(paths.map((path) => this.#options.fingerprint(path)));
    const overdue = this.#options.clock.now() - this.#since >= this.#options.longestMs;
    if (this.#closed || (changes !== this.#changes && !overdue)) return;
    const settled = paths.every((path, index) => this.#fingerprints.get(path) === now[index]);
    for (const [index, path] of paths.entries()) this.#fingerprints.set(path, now[index] ?? "");
    if (settled || overdue) this.#emit();
    else this.#arm();
  }

  #emit(): void {
    this.#cancel?.();
    const batch = new Map(this.#keys);
    this.#keys.clear();
    this.#fingerprints.clear();
    if (batch.size > 0) this.#options.onBatch(batch);
  }
}
