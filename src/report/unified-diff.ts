/** A unified diff, as `diff -u` and git write it. Differences by Myers' greedy algorithm (1986). */

const CONTEXT = 3;
/** Beyond this many differing lines, what lies between the equal ends is shown as replaced as a whole. */
const MAX_EDITS = 1000;

interface Change {
  readonly kind: " " | "-" | "+";
  readonly text: string;
}

/** "" where the texts are equal. `name` stands in both header lines. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return "";
  const changes = diffLines(linesOf(before), linesOf(after));
  return [`--- ${name}`, `+++ ${name}`, ...hunks(changes), ""].join("\n");
}

/** A last line without a newline is told apart from one with it. */
function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") return lines.slice(0, -1);
  return [...lines.slice(0, -1), `${lines.at(-1) ?? ""}\n\\ No newline at end of file`];
}

function diffLines(a: readonly string[], b: readonly string[]): Change[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end])
    end++;
  const same = (text: string): Change => ({ kind: " ", text });
  return [
    ...a.slice(0, start).map(same),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map(same),
  ];
}

function middle(a: readonly string[], b: readonly string[]): Change[] {
  const trace = shortestEdit(a, b);
  if (trace === undefined)
    return [
      ...a.map((text): Change => ({ kind: "-", text })),
      ...b.map((text): Change => ({ kind: "+", text })),
    ];
  return backtrack(trace, a, b);
}

/** The furthest x on each diagonal, after each number of edits. */
function shortestEdit(a: readonly string[], b: readonly string[]): Array<Map<number, number>> | undefined {
  const trace: Array<Map<number, number>> = [];
  let furthest = new Map([[1, 0]]);
  for (let edits = 0; edits <= Math.min(a.length + b.length, MAX_EDITS); edits++) {
    const next = new Map<number, number>();
    for (let k = -edits; k <= edits; k += 2) {
      let x = isDown(furthest, k, edits) ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      next.set(k, x);
      if (x >= a.length && x - k >= b.length) return [...trace, next];
    }
    trace.push(next);
    furthest = next;
  }
  return undefined;
}

/** Whether the best way onto diagonal k is an insertion. */
function isDown(furthest: ReadonlyMap<number, number>, k: number, edits: number): boolean {
  return k === -edits || (k !== edits && (furthest.get(k - 1) ?? -1) < (furthest.get(k + 1) ?? -1));
}

function backtrack(
  trace: ReadonlyArray<ReadonlyMap<number, number>>,
  a: readonly string[],
  b: readonly string[],
): Change[] {
  const changes: Change[] = [];
  let [x, y] = [a.length, b.length];
  for (let edits = trace.length - 1; edits > 0; edits--) {
    const before = trace[edits - 1] ?? new Map<number, number>();
    const k = x - y;
    const down = isDown(before, k, edits);
    const fromX = before.get(down ? k + 1 : k - 1) ?? 0;
    const fromY = fromX - (down ? k + 1 : k - 1);
    for (; x > (down ? fromX : fromX + 1) && y > (down ? fromY + 1 : fromY); y--)
      changes.push({ kind: " ", text: a[--x] ?? "" });
    if (down) changes.push({ kind: "+", text: b[--y] ?? "" });
    else changes.push({ kind: "-", text: a[--x] ?? "" });
  }
  while (x > 0) changes.push({ kind: " ", text: a[--x] ?? "" });
  return changes.reverse();
}

function hunks(changes: readonly Change[]): string[] {
  const lines: string[] = [];
  let [oldLine, newLine, at] = [1, 1, 0];
  while (at < changes.length) {
    const first = changes.findIndex(({ kind }, index) => index >= at && kind !== " ");
    if (first === -1) break;
    const from = Math.max(at, first - CONTEXT);
    oldLine += from - at;
    newLine += from - at;
    const to = hunkEnd(changes, first);
    const body = changes.slice(from, to);
    const [olds, news] = (["-", "+"] as const).map(
      (kind) => body.filter((change) => change.kind === " " || change.kind === kind).length,
    );
    lines.push(`@@ -${span(oldLine, olds)} +${span(newLine, news)} @@`);
    lines.push(...body.map(({ kind, text }) => `${kind}${text}`));
    oldLine += olds ?? 0;
    newLine += news ?? 0;
    at = to;
  }
  return lines;
}

/** Changes with less than two contexts between them share a hunk. */
function hunkEnd(changes: readonly Change[], first: number): number {
  let last = first;
  for (let at = first; at < changes.length && at <= last + 2 * CONTEXT; at++)
    if (changes[at]?.kind !== " ") last = at;
  return Math.min(changes.length, last + CONTEXT + 1);
}

function span(line: number, length = 0): string {
  if (length === 1) return String(line);
  return `${length === 0 ? line - 1 : line},${length}`;
}
