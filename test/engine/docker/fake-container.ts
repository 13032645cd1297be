/** A container of no engine: answers as dockerode's does, from a script, and remembers what it was asked. */
import { PassThrough } from "node:stream";
import type Docker from "dockerode";

export interface FakeState {
  Status?: string;
  Running?: boolean;
  ExitCode?: number;
  OOMKilled?: boolean;
  Pid?: number;
}

/** An engine's refusal, as docker-modem throws it. */
export function refusal(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
    statusCode,
    json: { message },
  });
}

export function connectionError(code = "ECONNREFUSED"): Error {
  return Object.assign(new Error(`connect ${code}`), { code });
}

export class FakeContainer {
  readonly id = "fake";
  readonly calls: string[] = [];
  readonly output = new PassThrough();
  /** What `inspect` finds; an error is thrown. */
  state: FakeState | Error = { Status: "running", Running: true, Pid: process.pid };
  ports: Record<string, Array<{ HostIp: string; HostPort: string }>> = {};
  /** What `start` throws. */
  failure: Error | undefined;
  readonly #waiting: Array<(error?: Error) => void> = [];

  get container(): Docker.Container {
    return this as unknown as Docker.Container;
  }

  /** The process ends. */
  end(state: FakeState): void {
    this.state = { Status: "exited", Running: false, ...state };
    this.output.destroy();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** The engine goes away. */
  lose(): void {
    this.state = connectionError();
    this.output.destroy();
    for (const resolve of this.#waiting.splice(0)) resolve(connectionError("ECONNRESET"));
  }

  attach(): Promise<PassThrough> {
    this.calls.push("attach");
    return Promise.resolve(this.output);
  }

  start(): Promise<void> {
    this.calls.push("start");
    return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
  }

  inspect(): Promise<Docker.ContainerInspectInfo> {
    if (this.state instanceof Error) return Promise.reject(this.state);
    const Networks = { bridge: { IPAddress: "172.31.255.254", Gateway: "172.31.0.1", IPPrefixLen: 16 } };
    const info = { State: this.state, NetworkSettings: { Networks, Ports: this.ports } };
    return Promise.resolve(info as unknown as Docker.ContainerInspectInfo);
  }

  wait({ abortSignal }: { abortSignal?: AbortSignal } = {}): Promise<void> {
    if (this.state instanceof Error) return Promise.reject(this.state);
    if (this.state.Running !== true) return Promise.resolve();
    return new Promise((resolve, reject) => {
      abortSignal?.addEventListener("abort", () => reject(connectionError("ABORT_ERR")));
      this.#waiting.push((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  kill({ signal }: { signal: string }): Promise<void> {
    this.calls.push(signal);
    return Promise.resolve();
  }

  remove(): Promise<void> {
    this.calls.push("remove");
    return Promise.resolve();
  }

  /** No such path: the program's check says "missing", which counts only if the container ends. */
  infoArchive(): Promise<never> {
    return Promise.reject(refusal(500, "not now"));
  }
}
