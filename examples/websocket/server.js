// Sends every message back to where it came from. `GET /` is a page to try it with.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { FrameReader, ProtocolError, acceptKey, closePayload, encodeFrame, opcodes } from "./frames.js";

const port = Number(process.env.PORT ?? 8080);
const page = readFileSync(new URL("page.html", import.meta.url));
const connections = new Set();

const server = createServer((request, response) => {
  if (request.url !== "/") {
    response.writeHead(404).end("Not found\n");
    return;
  }
  response.setHeader("content-type", "text/html; charset=utf-8");
  response.end(page);
});

server.on("upgrade", (request, socket, head) => {
  socket.on("error", () => socket.destroy());
  const refusal = refuse(request);
  if (refusal !== undefined) {
    socket.end(`HTTP/1.1 ${refusal}\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    return;
  }
  socket.write(
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      `Sec-WebSocket-Accept: ${acceptKey(request.headers["sec-websocket-key"])}\r\n\r\n`,
  );
  echo(socket, head);
});

/** Why the handshake can't be accepted (RFC 6455, 4.2.1), or undefined. */
function refuse({ method, headers }) {
  const key = Buffer.from(headers["sec-websocket-key"] ?? "", "base64");
  if (method !== "GET" || headers.upgrade?.toLowerCase() !== "websocket" || key.length !== 16) return "400 Bad Request";
  if (headers["sec-websocket-version"] !== "13") return "426 Upgrade Required";
  return undefined;
}

function echo(socket, head) {
  const send = (opcode, payload) => socket.write(encodeFrame(opcode, payload));
  const close = (code, reason) => socket.end(encodeFrame(opcodes.close, closePayload(code, reason)));
  const reader = new FrameReader({
    masked: true,
    onMessage(opcode, payload) {
      if (opcode === opcodes.ping) send(opcodes.pong, payload);
      else if (opcode === opcodes.close) socket.end(encodeFrame(opcodes.close, payload.subarray(0, 2)));
      else if (opcode !== opcodes.pong) send(opcode, payload);
    },
  });
  const onData = (bytes) => {
    try {
      reader.push(bytes);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      socket.off("data", onData);
      close(error.code, error.message);
    }
  };
  connections.add(close);
  console.log(`connected, ${connections.size} open`);
  socket.on("close", () => {
    connections.delete(close);
    console.log(`disconnected, ${connections.size} open`);
  });
  socket.on("end", () => socket.end());
  socket.on("data", onData);
  if (head.length > 0) onData(head);
}

server.listen(port, () => console.log(`Listening on port ${port}`));

process.on("SIGTERM", () => {
  // 1001: this end goes away (RFC 6455, 7.4.1); clients then connect again, to another instance.
  for (const close of connections) close(1001, "the instance stops");
  server.close(() => process.exit(0));
});
