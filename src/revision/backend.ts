/** What the activator sees of a revision: who is ready, and how to say that a request has come. */
import type { InstanceState } from "../resources/instance-state.ts";
import type { Instance } from "./instance.ts";
import type { RevisionPlan } from "./plan.ts";

export interface RevisionBackend {
  readonly plan: RevisionPlan;
  /** In order of creation. The same array until it changes. */
  readonly ready: readonly Instance[];
  /**
   * Who is in the path: `Proxy`, the activator and then the instance's queue-proxy; `Serve`, queue-proxy alone. Without a
   * ready instance it is always the activator.
   */
  readonly mode: "Proxy" | "Serve";
  /** What queue-proxy's health check says: whether a ready instance's app passes its readiness probe now. */
  health(): Promise<boolean>;
  /**
   * Counts a request from its arrival at the activator until the returned function is called (once). Wakes the
   * autoscaler when nothing runs.
   */
  arrive(): () => void;
  /** Called after each change of an instance's state; returns the function that unsubscribes. */
  onInstance(listener: (instance: Instance, state: InstanceState) => void): () => void;
  /** Why there are as many instances as there are, in a sentence. */
  explain(): string;
}
