/** The classic builder's account of a build, for engines without BuildKit (Podman): text that is meant for people. */
import type { PrepareProgress } from "../engine.ts";
import type { FailedStep } from "./build-trace.ts";
import { LineSplitter } from "./logs.ts";
import { StepOutput } from "./step-output.ts";

interface Step {
  readonly name: string;
  readonly begin: number;
  cached: boolean;
  readonly output: StepOutput;
}

/** Lines of the builder itself, between those that the step prints. */
const BUILDER = /^ ---> |^Removing intermediate container|^Successfully (?:built|tagged)|^--> |^COMMIT /;

// The builder marks what a step wrote to stderr in red.
// oxlint-disable-next-line no-control-regex -- the escape sequence is what is looked for
const RED = /\u001b\[(?:91|0)m/g;

export class ClassicTrace {
  readonly #emit: (progress: PrepareProgress) => void;
  readonly #now: () => number;
  readonly #lines = new LineSplitter((line) => this.#line(line));
  #step: Step | undefined;
  #failure: string | undefined;

  constructor(emit: (progress: PrepareProgress) => void, now: () => number = () => performance.now()) {
    this.#emit = emit;
    this.#now = now;
  }

  apply(message: Readonly<Record<string, unknown>>): void {
    const { stream, status, id, progressDetail } = message;
    if (typeof stream === "string") this.#lines.write(Buffer.from(stream));
    const { current, total } = (progressDetail ?? {}) as { current?: unknown; total?: unknown };
    if (typeof status === "string" && typeof id === "string" && typeof current === "number") {
      this.#emit({
        kind: "transfer",
        id,
        what: status.toLowerCase(),
        current,
        total: typeof total === "number" ? total : 0,
      });
    }
  }

  /** The build is over, with this error or without. */
  finish(error?: string): void {
    this.#lines.end();
    this.#failure = error;
    this.#end(error === undefined ? "done" : "error");
  }

  failed(): FailedStep | undefined {
    const step = this.#step;
    if (step === undefined || this.#failure === undefined) return undefined;
    return { name: step.name, error: this.#failure, lines: step.output.last() };
  }

  #line(raw: string): void {
    const line = raw.replace(RED, "");
    const name = /^(?:Step|STEP) \d+\/\d+ ?: (.*)$/.exec(line)?.[1];
    if (name !== undefined) {
      this.#end("done");
      this.#step = { name, begin: this.#now(), cached: false, output: new StepOutput() };
      this.#emit({ kind: "step", name, status: "start" });
      return;
    }
    const step = this.#step;
    if (step === undefined) return;
    if (/^ ---> Using cache|^--> Using cache/.test(line)) step.cached = true;
    if (line === "" || BUILDER.test(line)) return;
    step.output.add(line);
    this.#emit({ kind: "output", step: step.name, line });
  }

  #end(status: "done" | "error"): void {
    const step = this.#step;
    if (step === undefined) return;
    if (step.cached && status === "done") this.#emit({ kind: "step", name: step.name, status: "cached" });
    else this.#emit({ kind: "step", name: step.name, status, durationMs: this.#now() - step.begin });
  }
}
