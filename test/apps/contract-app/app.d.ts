import type { RequestListener } from "node:http";

export interface ContractHost {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  write(stream: "stdout" | "stderr", text: string): void;
  exit(code: number): void;
  /** Ends as by SIGKILL. */
  die(): void;
  onTerminate(listener: () => void): void;
}

/** Undefined where the app has ended instead of listening. */
export function contractApp(host: ContractHost): RequestListener | undefined;
