/** What becomes of a request whose head is well-formed: refused, or taken, with or without its offer to switch. */
import { ALLOWED_METHODS } from "../refuse.ts";
import { admit } from "../request-line.ts";
import { willSwitch } from "../switching.ts";
import { type BodyReader, ChunkedReader, LengthReader } from "./body-reader.ts";
import type { RequestHead } from "./request-head.ts";

export type Verdict =
  | {
      readonly ok: true;
      readonly path: string;
      readonly authority: string | undefined;
      readonly host: string;
      readonly upgrade: boolean;
      /** The client offers to switch, and we ignore it. */
      readonly offerIgnored: boolean;
      readonly expectsContinue: boolean;
    }
  | {
      readonly ok: false;
      readonly status: number;
      readonly reason?: string;
      readonly headers?: ReadonlyArray<readonly [string, string]>;
    };

/** Node's own test of the one expectation that there is (RFC 9110 section 10.1.1). */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

export function judge(head: RequestHead): Verdict {
  if (head.method === "CONNECT") return { ok: false, status: 405, headers: [["Allow", ALLOWED_METHODS]] };
  const admission = admit(head);
  if (!admission.ok) return admission;
  const expects = head.expect !== undefined && head.httpVersion === "1.1";
  const expectsContinue = expects && CONTINUE.test(head.expect ?? "");
  if (expects && !expectsContinue) return { ok: false, status: 417 };
  const offered = head.switches && head.upgrade !== "";
  const upgrade = offered && willSwitch(head);
  const { path, authority, host } = admission;
  return {
    ok: true,
    path,
    authority,
    host,
    upgrade,
    offerIgnored: offered && !upgrade,
    expectsContinue: expectsContinue && !upgrade,
  };
}

/** The reader of a request's body; undefined where there is none. What it passes on is framed as it came. */
export function bodyOf(head: RequestHead, trailerLimit: number): BodyReader | undefined {
  if (head.coding !== undefined) return new ChunkedReader({ chunked: true, trailerLimit });
  return head.length > 0 ? new LengthReader(head.length) : undefined;
}
