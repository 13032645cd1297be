/** The gate's own lines on stderr, told from the app's by a token that only this gate has. */

export type GateWord =
  /** It waits for the byte. */
  | { readonly kind: "ready" }
  /** No in-memory root on this engine: which step, and the kernel's reason. */
  | { readonly kind: "no-root"; readonly why: string }
  /** The app can't be executed. `why` are a container runtime's words. */
  | { readonly kind: "failed"; readonly code: number; readonly why: string }
  /** Something that ought not to happen. */
  | { readonly kind: "broken"; readonly why: string };

/** Undefined: a line of the app's. */
export function parseGateLine(line: string, token: string): GateWord | undefined {
  const prefix = `kserve-local-gate ${token} `;
  if (!line.startsWith(prefix)) return undefined;
  const text = line.slice(prefix.length);
  if (text === "ready") return { kind: "ready" };
  if (text.startsWith("root ")) return { kind: "no-root", why: text.slice("root ".length) };
  const failed = /^failed (\d+) (.*)$/s.exec(text);
  if (failed !== null) return { kind: "failed", code: Number(failed[1]), why: failed[2] ?? "" };
  return { kind: "broken", why: text };
}
