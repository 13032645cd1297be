/** How one request went, for the log and the events. */
export interface ServeResult {
  readonly instance?: string;
  /** ms of real time from arrival until it had a slot, or gave up. */
  readonly queuedMs: number;
  /** No instance was ready when it came. */
  readonly coldStart: boolean;
  /** Set where the platform answered or cut. */
  readonly reason?: string;
  /** One sentence. Without a reason: all went well here, and a warning is due. */
  readonly detail?: string;
  /** The status for the log where none was sent. */
  readonly status?: number;
  /** When the client had its answer, by the real clock, where the log had to wait for more. */
  readonly endedAt?: number;
}
