/** What Knative's queue-proxy did to WebSockets: an echo server behind, a client that says something each second. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { ENGINE_KINDS, type EngineKind } from "../../src/proxy/engine.ts";
import type { RevisionPlan } from "../../src/revision/plan.ts";
import { RawClient } from "../support/raw-http.ts";
import { ConformanceRig } from "./rig.ts";
import { transcriptNames } from "./transcript.ts";

/** RFC 6455 section 1.3. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

/** A text frame of the client's: masked, here with zeros (RFC 6455 section 5.2). */
const masked = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
const frame = (text: string): string => `\u0081${String.fromCharCode(text.length)}${text}`;

/** Answers each message with itself and ` x`, after a while. */
function echo(rig: ConformanceRig, afterMs: number): void {
  rig.engine.running[0]?.server?.on("upgrade", (request, socket) => {
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}${GUID}`)
      .digest("base64");
    socket.on("error", () => undefined);
    socket.on("end", () => socket.end());
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    );
    socket.on("data", (data: Buffer) => {
      const text = data.subarray(6, 6 + ((data[1] ?? 0) & 0x7f)).toString();
      void rig.pause(afterMs).then(() => socket.write(Buffer.from(frame(`${text} x`), "latin1")));
    });
  });
}

interface Session {
  readonly plan?: Partial<RevisionPlan>;
  readonly echoAfterMs?: number;
  /** One is said each second, the first at once. */
  readonly messages: readonly string[];
  readonly received: readonly string[];
  /** Seconds after the 101; undefined: it stays open. */
  readonly closedAfter?: number;
  readonly timer?: string;
}

const SESSIONS: Readonly<Record<string, Session>> = {
  "websocket-echo": { messages: ["Hello, websocket", "again"], received: ["Hello, websocket x", "again x"] },
  "websocket-idle": {
    plan: { idleTimeoutMs: 2_000 },
    messages: ["a", "b"],
    received: ["a x", "b x"],
    closedAfter: 2,
    timer: "idleTimeoutSeconds (2 s)",
  },
  "websocket-response-start": {
    plan: { responseStartTimeoutMs: 2_000 },
    messages: ["a", "b"],
    received: ["a x", "b x"],
    closedAfter: 2,
    timer: "responseStartTimeoutSeconds (2 s)",
  },
  "websocket-timeout": {
    plan: { timeoutMs: 2_000 },
    echoAfterMs: 5_000,
    messages: ["Hello"],
    received: [],
    closedAfter: 2,
    timer: "timeoutSeconds (2 s)",
  },
  "websocket-timeout-active": {
    plan: { timeoutMs: 3_000 },
    messages: ["a", "b", "c"],
    received: ["a x", "b x", "c x"],
    closedAfter: 3,
    timer: "timeoutSeconds (3 s)",
  },
};

async function runSession(session: Session, engine: EngineKind): Promise<void> {
  const { plan, echoAfterMs = 0, messages, received, closedAfter, timer } = session;
  await using rig = await ConformanceRig.open({
    engine,
    program: () => () => undefined,
    settings: { targetBurstCapacity: 0 },
    ...(plan === undefined ? {} : { plan }),
  });
  echo(rig, echoAfterMs);
  await using client = await RawClient.open(rig.port);
  client.send(
    `GET / HTTP/1.1\r\nHost: hello\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  );
  expect((await client.response()).status).toBe(101);
  const began = Date.now();
  for (const [n, message] of messages.entries()) {
    await rig.pause(n * 1_000 - (Date.now() - began));
    client.send(masked(message));
  }
  const expected = received.map(frame).join("");
  await client.until((text) => text.length >= expected.length);
  if (closedAfter === undefined) {
    await rig.pause(3_000);
    expect(client.ending).toBeUndefined();
  } else {
    await client.ended();
    expect(Math.abs((Date.now() - began) / 1000 - closedAfter)).toBeLessThan(0.75);
    await rig.until(() => rig.completed.length === 1);
    expect(rig.completed[0]).toMatchObject({ status: 101, reason: "timeout" });
    expect(rig.completed[0]?.detail).toBe(
      `spec.template.spec.${timer} has passed ${timer?.startsWith("idle") ? "without a byte of the response" : "since the request arrived"}: the connection was closed`,
    );
  }
  expect(client.text).toBe(expected);
}

describe("a WebSocket behind Knative's timers", () => {
  it.skipIf(transcriptNames("queue-proxy") === undefined)("is tried as often as it was recorded", () => {
    const recorded = transcriptNames("queue-proxy")?.filter((name) => name.startsWith("websocket"));
    expect(Object.keys(SESSIONS)).toEqual(recorded?.toSorted());
  });

  for (const engine of ENGINE_KINDS) {
    for (const [name, session] of Object.entries(SESSIONS))
      // A busy machine can miss what is said in the second of the cut.
      it.concurrent(`${name}, with the ${engine} engine`, { retry: 1 }, () => runSession(session, engine));
  }
});
