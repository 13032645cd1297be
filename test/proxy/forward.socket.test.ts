import type { IncomingMessage, ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { valueOf } from "../support/raw-http.ts";
import { engines, rigWith, signalled } from "./rig.ts";

describe.each(engines)("$kind engine", (engine) => {
  const Rig = rigWith(engine);

  type App = (request: IncomingMessage, response: ServerResponse) => void;
  const app = (handler: App) => ({
    app: (server: { on: (name: "request", handler: App) => unknown }) => void server.on("request", handler),
  });
  const GET = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a.example\r\n\r\n`;

  test("a plain answer keeps status text, field case, order and duplicates, and gets no Connection field", async () => {
    await using rig = await Rig.start(
      app((_request, response) => {
        const fields = [
          "Set-Cookie",
          "a=1",
          "X-CaSe",
          "y",
          "Set-Cookie",
          "b=2",
          "Date",
          "then",
          "Content-Length",
          "2",
        ];
        response.writeHead(200, "Very Fine", fields);
        response.end("ok");
      }),
    );
    await using client = await rig.client();
    client.send(GET("/"));
    const response = await client.response();
    expect(response.statusText).toBe("Very Fine");
    expect(response.headers).toEqual([
      ["Set-Cookie", "a=1"],
      ["X-CaSe", "y"],
      ["Set-Cookie", "b=2"],
      ["Date", "then"],
      ["Content-Length", "2"],
      // The app named none; Go's server, which every Knative hop is, adds what the bytes look like.
      ["Content-Type", "text/plain; charset=utf-8"],
    ]);
    expect(await rig.outcome()).toEqual({ kind: "completed", status: 200 });
  });

  test("the app sees the client's Host, target bytes, duplicates, and what the platform adds", async () => {
    const seen = signalled<IncomingMessage>();
    await using rig = await Rig.start(
      app((request, response) => {
        seen.resolve(request);
        response.end();
      }),
    );
    await using client = await rig.client();
    client.send('GET /a//../%2F?a=%00;b[]|" HTTP/1.1\r\nHost: A.example:81\r\nX-A: 1\r\nx-a: 2\r\n\r\n');
    await client.response();
    const request = await seen.promise;
    expect(request.url).toBe('/a//../%2F?a=%00;b[]|"');
    expect(request.rawHeaders.slice(0, 6)).toEqual(["Host", "A.example:81", "X-A", "1", "x-a", "2"]);
    expect(request.headers["k-proxy-request"]).toBe("activator");
    expect(request.headers["x-forwarded-for"]).toBe("127.0.0.1");
    expect(request.headers["forwarded"]).toBe("for=127.0.0.1;proto=http");
    expect((await rig.exchange()).host).toBe("a.example");
  });

  test("an absolute-form target names the host, whatever Host says, and reaches the app in origin-form", async () => {
    const seen = signalled<IncomingMessage>();
    await using rig = await Rig.start(
      app((request, response) => {
        seen.resolve(request);
        response.end();
      }),
    );
    await using client = await rig.client();
    client.send("GET http://B.example:8080?q=1 HTTP/1.1\r\nHost: other\r\n\r\n");
    await client.response();
    const request = await seen.promise;
    expect([request.url, request.headers.host]).toEqual(["/?q=1", "B.example:8080"]);
    const exchange = await rig.exchange();
    expect([exchange.target, exchange.host]).toEqual(["http://B.example:8080?q=1", "b.example"]);
  });

  test("trailers of the response reach the client", async () => {
    await using rig = await Rig.start(
      app((_request, response) => {
        response.writeHead(200, { Trailer: "X-T" });
        response.write("a");
        response.addTrailers({ "X-T": "1" });
        response.end();
      }),
    );
    await using client = await rig.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n");
    const response = await client.response();
    expect([valueOf(response, "trailer"), response.body, response.trailers]).toEqual([
      "X-T",
      "a",
      [["X-T", "1"]],
    ]);
  });

  test("trailers of the request reach the app, without those that change framing or routing", async () => {
    await using rig = await Rig.start(
      app((request, response) => {
        request.resume();
        request.on("end", () => response.end(JSON.stringify(request.rawTrailers)));
      }),
    );
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-Q\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send("1\r\na\r\n0\r\nX-Q: 9\r\nConnection: close\r\nHost: evil\r\n\r\n");
    expect(JSON.parse((await client.response()).body)).toEqual(["X-Q", "9"]);
  });

  test("103 and other informational answers pass with their fields, but not to HTTP/1.0", async () => {
    const reply = (socket: { write: (text: string) => unknown }): void => {
      socket.write(
        "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nX-Odd: 1\r\n\r\nHTTP/1.1 199 Odd\r\n\r\n",
      );
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    };
    await using rig = await Rig.start({ rawApp: (socket) => void socket.on("data", () => reply(socket)) });
    await using client = await rig.client();
    client.send(GET("/"));
    const text = await client.until((seen) => seen.endsWith("ok"));
    expect(text).toMatch(
      /^HTTP\/1.1 103 Early Hints\r\nLink: <\/a.css>; rel=preload\r\nX-Odd: 1\r\n\r\nHTTP\/1.1 199 Odd\r\n\r\nHTTP\/1.1 200 OK/,
    );
    await using old = await rig.client();
    old.send("GET / HTTP/1.0\r\n\r\n");
    expect(await old.ended()).toMatch(/^HTTP\/1.1 200 OK/);
  });

  test("Expect: 100-continue is the app's to answer", async () => {
    const expecting = signalled<ServerResponse>();
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
          request.on("end", () => response.end("after"));
          request.resume();
          expecting.resolve(response);
        }),
    });
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    const response = await expecting.promise;
    expect(client.text).toBe("");
    response.writeContinue();
    expect(await client.until((text) => text.endsWith("\r\n\r\n"))).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hello");
    const answer = await client.response();
    expect([answer.body, answer.informational]).toEqual(["after", [100]]);
  });

  test("a refusal instead of 100 reaches the client, and closes the connection that may or may not carry a body", async () => {
    await using rig = await Rig.start({
      app: (server) =>
        void server.on("checkContinue", (_request: IncomingMessage, response: ServerResponse) => {
          response.writeHead(417, { "Content-Length": "2" });
          response.end("no");
        }),
    });
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    await client.ended();
    const response = await client.response();
    expect([response.status, valueOf(response, "connection"), response.body]).toEqual([417, "close", "no"]);
  });

  test("a head without a body goes out at once, and each piece as it comes", async () => {
    const steps = signalled<ServerResponse>();
    await using rig = await Rig.start(
      app((_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.flushHeaders();
        steps.resolve(response);
      }),
    );
    await using client = await rig.client();
    client.send(GET("/"));
    await client.until((text) => text.includes("\r\n\r\n"));
    const response = await steps.promise;
    response.write("data: 1\n\n");
    await client.until((text) => text.includes("data: 1"));
    response.end("data: 2\n\n");
    expect((await client.response()).body).toBe("data: 1\n\ndata: 2\n\n");
  });

  test("a request's head and the pieces of its body reach the app as they come", async () => {
    const head = signalled();
    const piece = signalled<string>();
    await using rig = await Rig.start(
      app((request, response) => {
        head.resolve();
        request.once("data", (chunk: Buffer) => piece.resolve(chunk.toString()));
        request.on("end", () => response.end("done"));
      }),
    );
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    await head.promise;
    client.send("1\r\na\r\n");
    expect(await piece.promise).toBe("a");
    client.send("0\r\n\r\n");
    expect((await client.response()).body).toBe("done");
  });

  test("an answer given before the body is read is passed on, and the client's connection serves again", async () => {
    await using rig = await Rig.start(
      app((request, response) => {
        if (request.method === "GET") response.end("next");
        else {
          response.writeHead(413, { "Content-Length": "7" });
          response.end("too big");
        }
      }),
    );
    await using client = await rig.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n${"x".repeat(1000)}`);
    const response = await client.response();
    expect([response.status, response.body]).toEqual([413, "too big"]);
    client.send("x".repeat(99_000));
    client.send(GET("/"));
    expect((await client.response()).body).toBe("next");
  });

  test("HEAD keeps the declared length, 204 and 304 have no body, and the connection lives on", async () => {
    await using rig = await Rig.start(
      app((request, response) => {
        if (request.method === "HEAD") response.writeHead(200, { "Content-Length": "1234" });
        else response.writeHead(request.url === "/304" ? 304 : 204, { ETag: '"x"' });
        response.end();
      }),
    );
    await using client = await rig.client();
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect(valueOf(await client.response({ head: true }), "content-length")).toBe("1234");
    client.send(GET("/204"));
    expect((await client.response()).status).toBe(204);
    client.send(GET("/304"));
    const notModified = await client.response();
    expect([
      notModified.status,
      valueOf(notModified, "etag"),
      valueOf(notModified, "transfer-encoding"),
    ]).toEqual([304, '"x"', undefined]);
    expect(client.text).toBe("");
  });

  test("an HTTP/1.0 client gets no chunks, and keep-alive only when it asks", async () => {
    await using rig = await Rig.start(
      app((request, response) => {
        if (request.url === "/length") response.writeHead(200, { "Content-Length": "2" });
        response.write("o");
        response.end("k");
      }),
    );
    await using client = await rig.client();
    client.send("GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    expect(valueOf(await client.response(), "connection")).toBe("keep-alive");
    client.send("GET / HTTP/1.0\r\n\r\n");
    const text = await client.ended();
    expect(text).toMatch(/\r\n\r\nok$/);
    expect(text).not.toMatch(/transfer-encoding/i);
  });

  test("pipelined requests are taken one after the other", async () => {
    const first = signalled<ServerResponse>();
    const paths: string[] = [];
    await using rig = await Rig.start(
      app((request, response) => {
        paths.push(request.url ?? "");
        if (request.url === "/1") first.resolve(response);
        else response.end("two");
      }),
    );
    await using client = await rig.client();
    client.send(GET("/1") + GET("/2"));
    const response = await first.promise;
    expect([rig.exchanges.length, paths]).toEqual([1, ["/1"]]);
    response.end("one");
    expect((await client.response()).body).toBe("one");
    expect((await client.response()).body).toBe("two");
  });

  test("POST without a body says so to the app", async () => {
    await using rig = await Rig.start(
      app((request, response) => void response.end(request.headers["content-length"])),
    );
    await using client = await rig.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect((await client.response()).body).toBe("0");
  });

  test("aborting the signal ends the request at the app, and the exchange is still the caller's to answer", async () => {
    const reached = signalled<AbortController>();
    const closed = signalled();
    let abort = new AbortController();
    await using rig = await Rig.start({
      ...app((_request, response) => {
        response.on("close", () => closed.resolve());
        reached.resolve(abort);
      }),
      onExchange: (_exchange, controller) => {
        abort = controller;
      },
    });
    await using client = await rig.client();
    client.send(GET("/"));
    (await reached.promise).abort();
    expect(await rig.outcome()).toEqual({ kind: "aborted" });
    await closed.promise;
    (await rig.exchange()).respond({
      status: 504,
      headers: [["Content-Type", "text/plain"]],
      body: "request timeout",
    });
    const response = await client.response();
    expect([response.status, response.body]).toEqual([504, "request timeout"]);
  });

  test("200 requests in a row share one connection, 64 at once take as many, which serve again", async () => {
    let inFlight = 0;
    const together = signalled();
    await using rig = await Rig.start(
      app((request, response) => {
        if (request.url !== "/together") return void response.end("ok");
        inFlight += 1;
        if (inFlight === 64) together.resolve();
        void together.promise.then(() => response.end("ok"));
      }),
    );
    await using client = await rig.client();
    for (let i = 0; i < 200; i += 1) {
      client.send(i % 2 === 0 ? GET("/") : "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
      expect((await client.response()).body).toBe("ok");
    }
    expect(rig.accepted).toBe(1);
    const clients = await Promise.all(Array.from({ length: 64 }, () => rig.client()));
    for (let round = 0; round < 2; round += 1) {
      inFlight = 0;
      for (const one of clients) one.send(GET("/together"));
      await Promise.all(clients.map((one) => one.response()));
    }
    expect(rig.accepted).toBe(64);
    for (const one of clients) one.socket.destroy();
  });
});
