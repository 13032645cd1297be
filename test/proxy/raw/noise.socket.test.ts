/** Bytes that mean nothing, from either side: nothing throws, nobody is left waiting, and the next request is served. */
import type { Socket } from "node:net";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { proxyEngine } from "../../../src/proxy/engine.ts";
import { settle } from "../../support/fake-clock.ts";
import { rigWith } from "../rig.ts";
import { pieces, type Pieces, sendInPieces } from "./messages.ts";

/** Fixed, so that every run tests the same; another one explores: `SEED=7 npx vitest run --project socket test/proxy/raw`. */
const SEED = Number(process.env["SEED"] ?? 1);

const Rig = rigWith(proxyEngine("raw"));
const GOOD = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const noise = fc.string({
  unit: fc.oneof(
    fc.constantFrom(
      "GET ",
      "POST / HTTP/1.1\r\nHost: a\r\n",
      "HTTP/1.1 200 OK\r\n",
      "HTTP/1.1 101 X\r\n",
      "HTTP/1.1 100 C\r\n\r\n",
    ),
    fc.constantFrom(
      "Content-Length: 3\r\n",
      "Transfer-Encoding: chunked\r\n",
      "Connection: Upgrade\r\nUpgrade: x\r\n",
      "Expect: 100-continue\r\n",
    ),
    fc.constantFrom(
      "\r\n",
      "\r\n\r\n",
      "5\r\nhello\r\n",
      "0\r\n\r\n",
      "\r",
      "\n",
      "\0",
      " ",
      ":",
      "a",
      "\xff",
      "3",
      "GET / HTTP/1.0\r\n\r\n",
    ),
  ),
  maxLength: 12,
});
const ending = fc.constantFrom("destroy", "end", "reset");

function leave(socket: Socket, how: string): void {
  if (how === "reset") socket.resetAndDestroy();
  else if (how === "end") socket.end();
  else socket.destroy();
}

test("noise from clients and apps, who leave in any way", async () => {
  let answer: { parts: Pieces; how: string } | undefined;
  await using rig = await Rig.start({
    rawApp: (socket) =>
      void socket.on("data", () => {
        if (answer === undefined) socket.write(GOOD);
        else {
          const { parts, how } = answer;
          void sendInPieces(socket, parts).then(() => leave(socket, how));
        }
      }),
  });
  const open = new Set<unknown>();
  let asked = 0;
  await fc.assert(
    fc.asyncProperty(
      noise,
      noise,
      fc.boolean(),
      pieces,
      ending,
      ending,
      async (fromClient, fromApp, wellAsked, cuts, clientLeaves, appLeaves) => {
        answer = { parts: cuts(fromApp), how: appLeaves };
        const client = await rig.client();
        await sendInPieces(
          client.socket,
          cuts(wellAsked ? `GET / HTTP/1.1\r\nHost: a\r\n\r\n${fromClient}` : fromClient),
        );
        await settle();
        leave(client.socket, clientLeaves);
        await settle();
        client.socket.destroy();
        for (const exchange of rig.exchanges.splice(0)) {
          asked += 1;
          open.add(exchange);
          void exchange.finished.then(() => open.delete(exchange));
        }
        answer = undefined;
        await using next = await rig.client();
        next.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect((await next.response()).body).toBe("ok");
      },
    ),
    { numRuns: 400, seed: SEED },
  );
  await settle();
  expect(open.size).toBe(0);
  expect(asked).toBeGreaterThan(400);
});
