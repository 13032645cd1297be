import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { catchStopSignals } from "../../src/app/signals.ts";

function caught() {
  const emitter = new EventEmitter();
  return { emitter, signals: catchStopSignals(emitter) };
}

describe("stop signals", () => {
  it("tells the first from the second, and leaves the third to its default", async () => {
    const { emitter, signals } = caught();
    emitter.emit("SIGTERM");
    emitter.emit("SIGINT");
    expect(await signals.first).toEqual({ exitCode: 143, reason: "SIGTERM" });
    expect(await signals.second).toEqual({ exitCode: 130, reason: "Ctrl-C" });
    expect(emitter.eventNames()).toEqual([]);
  });

  it("takes a reader that has gone for a first signal", async () => {
    const { emitter, signals } = caught();
    emitter.emit("SIGPIPE");
    expect(await signals.first).toMatchObject({ exitCode: 141 });
  });

  it("does not take a reader that goes with the same Ctrl-C for a second one", async () => {
    const { emitter, signals } = caught();
    emitter.emit("SIGINT");
    emitter.emit("SIGPIPE");
    emitter.emit("SIGHUP");
    expect(await signals.second).toMatchObject({ reason: "SIGHUP" });
  });

  it("leaves all of them to others", () => {
    const { emitter, signals } = caught();
    signals.release();
    expect(emitter.eventNames()).toEqual([]);
  });
});
