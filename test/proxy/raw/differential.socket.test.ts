/**
 * The two engines side by side: the same bytes from the client and from the app, cut anywhere, come to the same. Where
 * the bytes are damaged, the raw engine takes nothing that node's parser refuses; what both take, they take alike.
 * docs/proxy-engines.md lists where they may differ.
 */
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Socket } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ForwardOutcome } from "../../../src/proxy/forward.ts";
import { RawClient } from "../../support/raw-http.ts";
import { engines, type Rig, rigWith } from "../rig.ts";
import { damaged, pieces, type Pieces, request, response, responseParts, sendInPieces } from "./messages.ts";

/** Fixed, so that every run tests the same; another one explores: `SEED=7 npx vitest run --project socket test/proxy/raw`. */
const SEED = Number(process.env["SEED"] ?? 1);

/** All parties share one event loop, so that so many of its turns without a byte mean that nobody will say more. */
const QUIET_TURNS = 25;

async function quiet(state: () => unknown): Promise<void> {
  let last = state();
  for (let still = 0; still < QUIET_TURNS; still += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    const now = state();
    if (now !== last) still = 0;
    last = now;
  }
}

interface Seen {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
}

interface Result {
  readonly text: string;
  readonly ended: boolean;
}

/** What the client got, less what differs by nature: the date, and the words of a refusal. */
function normal(client: RawClient): Result {
  const text = client.text.replaceAll(/Date: [^\r]*\r\n/g, "");
  return { text, ended: client.ending !== undefined };
}

const statuses = (text: string): string[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1] as string);

describe("requests", () => {
  const seen: Seen[] = [];
  const rigs: Rig[] = [];

  beforeAll(async () => {
    for (const engine of engines) {
      rigs.push(
        await rigWith(engine).start({
          app: (server) => {
            server.maxHeadersCount = 0;
            server.on("request", (incoming: IncomingMessage, answer: ServerResponse) => {
              let body = "";
              incoming.on("data", (chunk: Buffer) => {
                body += chunk.toString("latin1");
              });
              incoming.on("end", () => {
                const { rawHeaders, rawTrailers } = incoming;
                seen.push({
                  line: `${incoming.method} ${incoming.url}`,
                  headers: rawHeaders,
                  body,
                  trailers: rawTrailers,
                });
                answer.writeHead(200, { "Content-Type": "text/plain", Date: "now" });
                answer.end("ok");
              });
            });
          },
        }),
      );
    }
  });
  afterAll(() => Promise.all(rigs.map((rig) => rig[Symbol.asyncDispose]())));

  async function run(rig: Rig, parts: Pieces): Promise<Result & { readonly seen: Seen[] }> {
    seen.length = 0;
    await using client = await RawClient.open(rig.port);
    await sendInPieces(client.socket, parts);
    await quiet(() => `${client.text.length} ${client.ending} ${seen.length}`);
    const result = {
      ...normal(client),
      seen: seen.map((one) => ({ ...one, headers: withoutPort(one.headers, rig) })),
    };
    client.socket.destroy();
    await quiet(() => rig.exchanges.length);
    return result;
  }

  /** A client without Host is told apart by the app's own address. */
  function withoutPort(headers: readonly string[], rig: Rig): string[] {
    return headers.map((value) => value.replace(String(rig.appPort), "app"));
  }

  test("in order: the same answers, and the same requests at the app", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), pieces, async (requests, cuts) => {
        const parts = cuts(requests.join(""));
        const [one, other] = [await run(rigs[0] as Rig, parts), await run(rigs[1] as Rig, parts)];
        expect(one).toEqual(other);
        expect(one.seen.length).toBeGreaterThan(0);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  test("damaged: what node's parser refuses is refused; what both take means the same", async () => {
    let taken = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(damaged(request), pieces, async (text, cuts) => {
        const parts = cuts(text);
        const results: Array<Awaited<ReturnType<typeof run>>> = [];
        for (const rig of rigs) results.push(await run(rig, parts));
        const [raw, node] = results as [(typeof results)[0], (typeof results)[0]];
        if (raw.seen.length > 0) {
          taken += 1;
          // Node's parser runs ahead: what is broken behind a request costs it the request before as well.
          if (node.seen.length > 0 || statuses(raw.text).at(-1) === "200")
            expect(raw.seen[0]).toEqual(node.seen[0]);
        } else {
          refused += 1;
          const [status] = statuses(raw.text);
          // Refused, or still waiting for the rest, never silent in between.
          expect(raw.ended ? Number(status) >= 400 : status === undefined).toBe(true);
          // Which of several faults is named first may differ.
          if (node.seen.length === 0 && node.ended) expect(raw.ended).toBe(true);
        }
      }),
      { numRuns: 300, seed: SEED },
    );
    expect(Math.min(taken, refused)).toBeGreaterThan(20);
  });
});

describe("responses", () => {
  interface Reply {
    readonly parts: Pieces;
    readonly close: boolean;
  }
  let reply: Reply = { parts: [], close: false };
  const rigs: Rig[] = [];

  beforeAll(async () => {
    for (const engine of engines) {
      rigs.push(
        await rigWith(engine).start({
          rawApp: (socket: Socket) => {
            socket.on("data", () => {
              void sendInPieces(socket, reply.parts).then(() => reply.close && socket.end());
            });
          },
        }),
      );
    }
  });
  afterAll(() => Promise.all(rigs.map((rig) => rig[Symbol.asyncDispose]())));

  const count = new Map<Rig, number>();
  async function run(
    rig: Rig,
    method: string,
    version: string,
    next: Reply,
  ): Promise<Result & { readonly outcome: unknown; readonly kept: boolean }> {
    reply = next;
    await using client = await RawClient.open(rig.port);
    client.send(`${method} / HTTP/${version}\r\nHost: a\r\n\r\n`);
    await quiet(() => `${client.text.length} ${client.ending}`);
    const result = normal(client);
    // A response that never ends is ended here.
    client.socket.destroy();
    const index = count.get(rig) ?? 0;
    count.set(rig, index + 1);
    const outcome = await rig.outcome(index);
    const kept = rig.upstream.connections > 0;
    rig.upstream.destroy();
    return { ...result, outcome: summary(outcome), kept };
  }

  function summary(outcome: ForwardOutcome): unknown {
    if (outcome.kind !== "upstream-error") return outcome;
    const { kind, diagnosis, started, mayHaveReachedApp } = outcome;
    return { kind, diagnosis, started, mayHaveReachedApp };
  }

  const asked = fc.record({
    method: fc.constantFrom("GET", "GET", "HEAD", "POST"),
    version: fc.constantFrom("1.1", "1.1", "1.0"),
    close: fc.boolean(),
  });

  test("in order: the same bytes for the client, apart from how chunks are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        responseParts,
        pieces,
        asked,
        async ({ head, body }, cuts, { method, version, close }) => {
          const next = { parts: cuts(method === "HEAD" ? head : head + body), close };
          const results: Array<Awaited<ReturnType<typeof run>>> = [];
          for (const rig of rigs) results.push(await run(rig, method, version, next));
          expect(rechunked(results[0] as Result)).toEqual(rechunked(results[1] as Result));
        },
      ),
      { numRuns: 300, seed: SEED },
    );
  });

  test("damaged: what node's parser refuses never reaches the client as whole", async () => {
    await fc.assert(
      fc.asyncProperty(damaged(response), pieces, asked, async (text, cuts, { method, version, close }) => {
        const next = { parts: cuts(text), close };
        const results: Array<Awaited<ReturnType<typeof run>>> = [];
        for (const rig of rigs) results.push(await run(rig, method, version, next));
        const [raw, node] = results.map((result) => rechunked(result)) as [Rechunked, Rechunked];
        const completed = (one: Rechunked): boolean => (one.outcome as ForwardOutcome).kind === "completed";
        // Bytes behind a whole response cost node's client the response, and the raw engine only the connection, as Go's.
        if (completed(raw) && (completed(node) || results[0]?.kept === true)) expect(raw).toEqual(node);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  interface Rechunked extends Result {
    readonly outcome: unknown;
  }

  /** Node's server turns bytes above 0x7f in a head into UTF-8 here and there. */
  function ascii(text: string): string {
    return text.replaceAll(/[\x80-\xff]+/g, "?");
  }

  /** Joins the chunks of a body: where one ends and the next begins means nothing. */
  function rechunked(result: Result & { readonly outcome?: unknown }): Rechunked {
    const { text, ended, outcome } = result;
    const at = text.lastIndexOf("Transfer-Encoding: chunked\r\n\r\n");
    if (at < 0) return { text: ascii(text), ended, outcome };
    const start = at + "Transfer-Encoding: chunked\r\n\r\n".length;
    let body = "";
    let place = start;
    for (;;) {
      const line = text.indexOf("\r\n", place);
      const size = line < 0 ? 0 : Number.parseInt(text.slice(place, line), 16);
      if (!(size > 0)) break;
      body += text.slice(line + 2, line + 2 + size);
      place = line + 2 + size + 2;
    }
    return { text: `${ascii(text.slice(0, start))}<${body}>${text.slice(place)}`, ended, outcome };
  }
});
