/**
 * The reporter for people. Results and the app's logs go to stdout, everything else to stderr. On a terminal what is
 * under way stands in a block at the bottom; elsewhere, and in CI, every line is final and free of escape sequences.
 */
import type { Clock } from "../kernel/clock.ts";
import type { PlatformEvent } from "../resources/events.ts";
import type { Reporter } from "./json.ts";
import { LiveBlock } from "./live-block.ts";
import { Narrator } from "./narrator.ts";
import { guardOutput, type Output } from "./output.ts";
import { ProgressBoard } from "./progress-board.ts";
import { Tally } from "./tally.ts";
import { colourLevel, createTheme, type Environment, inCi } from "./theme.ts";
import type { Said } from "./voice.ts";

export interface ConsoleOptions {
  readonly stdout: Output;
  readonly stderr: Output;
  /** NO_COLOR, FORCE_COLOR, CI, TERM, COLORTERM are read. */
  readonly env: Environment;
  /** Real time, never scaled: it drives the frames and measures what people waited for. */
  readonly clock: Clock;
  /** Paths below it are shown relative to it. */
  readonly cwd: string;
  /** App lines as the app wrote them: structured (JSON) logs stay JSON. Control sequences are removed all the same. */
  readonly raw?: boolean;
  /** One line a request; default true. */
  readonly requests?: boolean;
  /** Shown once below the first URL, on a terminal: `Ctrl-C stops; …`. */
  readonly hint?: string;
  /** The reader of stdout has gone (EPIPE): called once. */
  readonly onClosed?: (error: NodeJS.ErrnoException) => void;
  /**
   * Registers what must happen before the process ends in whatever way (the cursor comes back); returns the function
   * that takes it back. Default: none, `close` does it.
   */
  readonly atExit?: (restore: () => void) => () => void;
}

export function createConsoleReporter(options: ConsoleOptions): Reporter {
  const { clock, env } = options;
  const stdout = guardOutput(options.stdout, options.onClosed);
  const stderr = guardOutput(options.stderr);
  const stderrTheme = createTheme(colourLevel(options.stderr.isTTY === true, env), env);
  const live = options.stderr.isTTY === true && !inCi(env) && env["TERM"] !== "dumb";
  const board = new ProgressBoard();
  const tally = new Tally();
  const narrator = new Narrator({
    stdoutTheme: createTheme(colourLevel(options.stdout.isTTY === true, env), env),
    stderrTheme,
    live,
    resultBlock: live && options.stdout.isTTY === true,
    raw: options.raw ?? false,
    requests: options.requests ?? true,
    cwd: options.cwd,
    columns: (to) => (live && options[to].isTTY === true ? options[to].columns : undefined),
    hint: options.hint,
  });
  const block = live
    ? new LiveBlock({
        output: options.stderr,
        write: (text) => stderr.write(text),
        clock,
        lines: (_columns, frame) => board.lines(clock.now(), frame, stderrTheme),
      })
    : undefined;
  const print = (said: readonly Said[]): void => {
    const write = (): void => {
      for (const { to, lines } of said) (to === "stdout" ? stdout : stderr).write(`${lines.join("\n")}\n`);
    };
    if (said.length === 0) return;
    if (block === undefined) write();
    else block.printAbove(write);
  };
  const forget = options.atExit?.(() => block?.close());
  let closed = false;
  return {
    listener: (event) => {
      const now = clock.now();
      tally.add(event, now);
      const took = track(board, event, now);
      if (board.idle) block?.settle();
      print(narrator.tell(event, now, took));
      if (!board.idle) block?.refresh();
    },
    close: () => {
      if (closed) return;
      closed = true;
      block?.close();
      forget?.();
      const summary = tally.summary(clock.now());
      if (summary !== undefined) print(narrator.ours("kserve-local", summary));
      stdout.close();
      stderr.close();
    },
  };
}

/** Keeps the board; resolves to the real ms of the task that the event ends. */
function track(board: ProgressBoard, event: PlatformEvent, now: number): number | undefined {
  switch (event.type) {
    case "build.progress":
      return board.apply(event, now);
    case "revision.created":
      board.start(`revision ${event.namespace}/${event.revision}`, event.revision, "starting", now);
      return undefined;
    case "revision.ready":
    case "revision.failed":
      return board.finish(`revision ${event.namespace}/${event.revision}`, now);
    case "session.stopping":
      board.clear();
      return undefined;
    default:
      return undefined;
  }
}
