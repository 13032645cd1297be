/**
 * The client's body to the app, at the app's pace. Nothing is read before the connection stands: an exchange whose
 * instance can't be reached goes to another one with its body whole.
 */
import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { passableTrailers } from "./headers.ts";

export class BodyPump {
  readonly #body: IncomingMessage;
  readonly #request: ClientRequest;
  #stopped = false;

  constructor(body: IncomingMessage, request: ClientRequest) {
    this.#body = body;
    this.#request = request;
    request.once("socket", (socket: Socket) => {
      if (socket.connecting) socket.once("connect", this.#start);
      else this.#start();
    });
  }

  /** Reads no further. What is left of the body is its owner's to read away. */
  stop(): void {
    this.#stopped = true;
    this.#body.off("data", this.#pass);
    this.#body.off("end", this.#end);
  }

  readonly #start = (): void => {
    if (this.#stopped) return;
    this.#body.on("data", this.#pass);
    this.#body.on("end", this.#end);
    this.#request.on("drain", () => {
      if (!this.#stopped) this.#body.resume();
    });
    if (this.#body.readableEnded) this.#end();
    // A body may come late, and its head must not wait for it; what is there already goes out together with the head.
    setImmediate(() => {
      if (!this.#stopped && !this.#request.destroyed) this.#request.flushHeaders();
    });
  };

  readonly #pass = (chunk: Buffer): void => {
    if (!this.#request.destroyed && !this.#request.write(chunk)) this.#body.pause();
  };

  readonly #end = (): void => {
    if (this.#request.destroyed) return;
    const trailers = passableTrailers(this.#body.rawTrailers);
    if (trailers.length > 0) this.#request.addTrailers(trailers);
    this.#request.end();
  };
}
