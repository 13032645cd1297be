// Sends each argument as a message and prints what comes back: node client.js ws://host:port message...
import { randomBytes } from "node:crypto";
import { request } from "node:http";
import { FrameReader, acceptKey, closePayload, encodeFrame, opcodes } from "./frames.js";

const [address, ...messages] = process.argv.slice(2);
if (messages.length === 0) fail("usage: node client.js ws://host:port message...");
const { hostname, port, host, pathname } = new URL(address);
const key = randomBytes(16).toString("base64");

const call = request({
  // Names under .localhost are this machine (RFC 6761, 6.3), also where the system's resolver doesn't know it.
  host: hostname.endsWith(".localhost") ? "127.0.0.1" : hostname,
  port: port || 80,
  path: pathname,
  headers: { host, upgrade: "websocket", connection: "Upgrade", "sec-websocket-version": "13", "sec-websocket-key": key },
});

call.on("response", (response) => fail(`no WebSocket there: status ${response.statusCode}`));
call.on("error", (error) => fail(error.message));
call.on("upgrade", (response, socket, head) => {
  if (response.headers["sec-websocket-accept"] !== acceptKey(key)) fail("the server's key is wrong");
  const send = (opcode, payload) => socket.write(encodeFrame(opcode, payload, { mask: true }));
  let answers = 0;
  const reader = new FrameReader({
    masked: false,
    onMessage(opcode, payload) {
      if (opcode === opcodes.close) socket.end();
      if (opcode !== opcodes.text) return;
      console.log(payload.toString());
      answers += 1;
      if (answers === messages.length) send(opcodes.close, closePayload(1000));
    },
  });
  socket.on("data", (bytes) => reader.push(bytes));
  socket.on("end", () => socket.end());
  socket.on("close", () => answers < messages.length && fail("closed before every message came back"));
  if (head.length > 0) reader.push(head);
  for (const message of messages) send(opcodes.text, Buffer.from(message));
});
call.end();

function fail(message) {
  console.error(message);
  process.exit(1);
}
