/** The life of an instance; revision/instance.ts holds the transition table and is the only place that moves it. */
export type InstanceState =
  | "pending"
  | "starting"
  | "ready"
  | "unready"
  | "draining"
  | "terminating"
  | "gone"
  | "failed";
