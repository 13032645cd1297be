/** The heads of an app's responses off the wire: any number of informational ones, then the final one. */
import { HeadCollector } from "./head-collector.ts";
import { mayBecomeResponse, readResponseHead, type ResponseHead } from "./response-head.ts";

/** Bytes of a response's head. Go's transport takes 10 MiB; forward.ts tells node's parser the same limit as here. */
const HEAD_LIMIT = 1024 * 1024;

export class ResponseHeads {
  /** What came behind the head last taken. */
  rest: Buffer | undefined;
  /** What was malformed. */
  bytes: Uint8Array | undefined;
  readonly #collector = new HeadCollector(HEAD_LIMIT);

  take(bytes: Buffer): ResponseHead | "more" | "malformed" | "too-large" {
    const collector = this.#collector;
    switch (collector.take(bytes)) {
      case "too-large":
        return "too-large";
      case "more":
        if (!collector.isWorthALook() || mayBecomeResponse(collector.pendingText)) return "more";
        this.bytes = Buffer.from(collector.pendingText, "latin1");
        return "malformed";
      case "whole": {
        this.rest = collector.rest;
        const head = readResponseHead(collector.text);
        if (head === undefined) this.bytes = Buffer.from(collector.text, "latin1");
        return head ?? "malformed";
      }
    }
  }
}
