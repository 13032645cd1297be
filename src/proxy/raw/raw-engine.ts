/** The engine on bare sockets: both sides of the data path with our own HTTP/1.1 parser. docs/proxy-engines.md says why. */
import { type Clock, systemClock } from "../../kernel/clock.ts";
import type { ProxyEngine } from "../engine.ts";
import { Deadlines } from "./deadlines.ts";
import { rawForward } from "./raw-forward.ts";
import { RawFrontServer } from "./raw-front-server.ts";
import { RawUpstream } from "./raw-upstream.ts";

/** How late, in ms, an idle connection to an app may be closed. */
const IDLE_TICK_MS = 1000;

/** @param clock real time: connections idle by the wall, whatever the platform's time scale */
export function rawEngine(clock: Clock = systemClock()): ProxyEngine {
  const idle = new Deadlines(clock, IDLE_TICK_MS);
  return {
    kind: "raw",
    createFrontServer: (handler, options = {}) => new RawFrontServer(handler, clock, options),
    createUpstream: (address, options = {}) => new RawUpstream(address, idle, options),
    forward: rawForward,
  };
}
