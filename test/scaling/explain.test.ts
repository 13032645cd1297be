import { describe, expect, it } from "vitest";
import { describeDecision, explain, type ExplainInput } from "../../src/scaling/explain.ts";
import { settingsWith } from "./settings-with.ts";

const NOW = 1_000_000;
const decision = {
  desired: 1,
  ebc: -111,
  inPanic: false,
  maxPanicPods: 0,
  valid: true,
  stable: 0,
  panic: 0,
  reason: "",
};
const outcome = { want: 1, replicas: 1, mode: "Proxy", active: "True", reason: "" } as const;

function say(changes: Partial<ExplainInput>): string {
  return explain({
    now: NOW,
    settings: settingsWith(),
    decision,
    outcome,
    ready: 1,
    inFlight: 0,
    ...changes,
  });
}

describe("why there are so many instances, in a sentence", () => {
  it.each<[string, Partial<ExplainInput>]>([
    [
      "1 instance: none in flight, last request 41 s ago, to zero in 19 s",
      { lastRequestAt: NOW - 41_000, outcome: { ...outcome, nextChange: { at: NOW + 19_000, to: 0 } } },
    ],
    [
      "3 instances: 21 in flight on average over 6 s (panic), target 7 each",
      {
        settings: settingsWith({ target: 7 }),
        decision: { ...decision, desired: 3, inPanic: true, stable: 4, panic: 21 },
        outcome: { ...outcome, want: 3, replicas: 3 },
        ready: 3,
        inFlight: 20,
      },
    ],
    [
      "3 instances: 180.33 in flight on average over 60 s (panic), target 70 each",
      {
        decision: { ...decision, desired: 3, inPanic: true, stable: 180.333333, panic: 12 },
        outcome: { ...outcome, want: 3, replicas: 3 },
        ready: 3,
        inFlight: 20,
      },
    ],
    [
      "2 instances: none in flight, held at 2 by min-scale",
      { outcome: { ...outcome, want: 2, replicas: 2, heldBy: "min-scale" }, ready: 2 },
    ],
    [
      "3 instances: 2 starting, 350 requests/s on average over 60 s, target 140 each",
      {
        settings: settingsWith({ metric: "rps", target: 140 }),
        decision: { ...decision, stable: 350 },
        outcome: { ...outcome, want: 3, replicas: 3 },
        inFlight: 4,
      },
    ],
    [
      "4 instances: none in flight, last request 10 s ago, to 2 in 8 s",
      {
        lastRequestAt: NOW - 10_000,
        outcome: { ...outcome, want: 4, replicas: 4, nextChange: { at: NOW + 8000, to: 2 } },
        ready: 4,
      },
    ],
    ["0 instances: none in flight", { outcome: { ...outcome, want: 0, replicas: 0 }, ready: 0 }],
    [
      "0 instances: none in flight, none became ready in time",
      { outcome: { ...outcome, want: 0, replicas: 0, reason: "TimedOut" }, ready: 0 },
    ],
    [
      "1 instance: 1 starting, 5 in flight, target 70 each",
      { decision: { ...decision, valid: false }, ready: 0, inFlight: 5 },
    ],
  ])("%s", (sentence, changes) => {
    expect(say(changes)).toBe(sentence);
  });
});

describe("a decision in words", () => {
  const settings = settingsWith();
  it("names the mean that decides, the target and the count", () => {
    expect(
      describeDecision(settings, { stable: 60, panic: 75, inPanic: true, desired: 2, undelayed: 2 }),
    ).toBe("75 in flight on average over 6 s (panic) at 70 each: 2");
  });

  it("says that the scale-down delay holds it", () => {
    expect(
      describeDecision(settings, { stable: 0, panic: 0, inPanic: false, desired: 5, undelayed: 0 }),
    ).toBe("0 in flight on average over 60 s at 70 each: 5, 0 after scale-down-delay");
  });
});
