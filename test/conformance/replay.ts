/** Runs a transcript's scenario against our whole path and compares what came with what was recorded. */
import { beforeAll, describe, expect, it } from "vitest";
import { ENGINE_KINDS, type EngineKind } from "../../src/proxy/engine.ts";
import { transcriptApp } from "./app.ts";
import { ConformanceRig, type RigOptions } from "./rig.ts";
import {
  readResponse,
  type RecordedResponse,
  readTranscript,
  recordedResponses,
  transcriptNames,
} from "./transcript.ts";

export interface Scenario extends Omit<RigOptions, "program"> {
  /** Where our answer may not or cannot be the recorded one: changes the recorded, with the reason beside. */
  readonly adapt?: (recorded: readonly RecordedResponse[]) => readonly RecordedResponse[];
  /** The timer's YAML field, where one cuts the request: the log names it. */
  readonly names?: string;
  /** In place of the default. */
  readonly hidden?: readonly string[];
  run(rig: ConformanceRig): Promise<readonly RecordedResponse[]>;
}

/** Seconds: the machine may be busy, and what is told apart here differs by more. */
const TOLERANCE = 1.25;

export interface ReplayOptions {
  readonly scenarios: Readonly<Record<string, Scenario>>;
  /** Why a transcript is not replayed here. */
  readonly elsewhere: Readonly<Record<string, string>>;
  readonly settings: RigOptions["settings"];
  /** Fields that our ingress adds and the recorder, which had none, has not. */
  readonly hidden: readonly string[];
}

export function replay(kind: "queue-proxy" | "activator", options: ReplayOptions): void {
  const names = transcriptNames(kind);
  if (names === undefined) {
    it.skip(`${kind}: ../shared/conformance is not here`, () => undefined);
    return;
  }
  // All at once, since they mostly wait; each has a cluster of its own.
  const runs = new Map<string, Promise<void>>();
  beforeAll(() => {
    for (const engine of ENGINE_KINDS) {
      for (const [name, scenario] of Object.entries(options.scenarios)) {
        const run = replayOne({ kind, name, engine, scenario, options });
        run.catch(() => undefined);
        runs.set(`${engine} ${name}`, run);
      }
    }
  });
  describe.each(ENGINE_KINDS)(`the %s engine answers as Knative's ${kind} did`, (engine) => {
    it("in every transcript that there is", () => {
      expect([...Object.keys(options.scenarios), ...Object.keys(options.elsewhere)].toSorted()).toEqual(
        names.toSorted(),
      );
    });
    for (const [name, why] of Object.entries(options.elsewhere)) it.skip(`${name}: ${why}`, () => undefined);
    for (const [name, scenario] of Object.entries(options.scenarios)) {
      // Once more and alone where it failed: some recorded moments are 200 ms apart, and a busy machine can miss that.
      it(name, () =>
        runs.get(`${engine} ${name}`)?.catch(() => replayOne({ kind, name, engine, scenario, options })),
      );
    }
  });
}

async function replayOne(of: {
  readonly kind: "queue-proxy" | "activator";
  readonly name: string;
  readonly engine: EngineKind;
  readonly scenario: Scenario;
  readonly options: ReplayOptions;
}): Promise<void> {
  const { kind, name, engine, scenario, options } = of;
  const { adapt = (recorded) => recorded, names: field, settings, hidden, ...rest } = scenario;
  await using rig = await ConformanceRig.open({
    engine,
    program: transcriptApp(hidden ?? options.hidden),
    ...rest,
    settings: { ...options.settings, ...settings },
  });
  const expected = adapt(recordedResponses(readTranscript(kind, name)));
  const got = await scenario.run(rig);
  expect(got.map(comparable)).toEqual(expected.map(comparable));
  for (const [index, { after }] of got.entries())
    expect(Math.abs(after - (expected[index]?.after ?? 0)), `response ${index + 1}`).toBeLessThan(TOLERANCE);
  if (field === undefined) return;
  await rig.until(() => rig.completed.length === got.length);
  expect(rig.completed.some(({ detail }) => detail?.includes(`spec.template.spec.${field}`))).toBe(true);
}

/**
 * What is compared literally. Our own header says more than Knative's answers do. The reason phrase means nothing, and
 * Go replaces the app's by its own. Whether a streamed response gets a guessed type is a race in Go's proxy: some of the
 * recorded ones have one, some not.
 */
function comparable({ status, headers, body, interim, ending }: RecordedResponse): unknown {
  const streamed = headers.includes("transfer-encoding: chunked");
  const shared = headers.filter(
    (line) =>
      !line.startsWith("x-kserve-local-reason:") &&
      !(streamed && line.startsWith("content-type: text/plain")),
  );
  return { status: status.toLowerCase(), headers: shared, body, interim, ending };
}

/** Two responses on one connection, which are recorded as one. */
export function twoResponses(both: RecordedResponse): readonly RecordedResponse[] {
  const next = both.body.indexOf("HTTP/1.1 ");
  return [
    { ...both, body: both.body.slice(0, next) },
    { ...both, ...readResponse(both.body.slice(next)) },
  ];
}
