/**
 * `$(NAME)` expansion as Kubernetes does it (k8s.io/kubernetes third_party/forked/golang/expansion): unknown names
 * stay as written, `$$` is one dollar sign and stops expansion.
 */
export function expand(text: string, lookup: (name: string) => string | undefined): string {
  let out = "";
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char !== "$" || at + 1 >= text.length) {
      out += char;
      continue;
    }
    const next = text[at + 1];
    if (next === "$") {
      out += "$";
      at += 1;
      continue;
    }
    const end = next === "(" ? text.indexOf(")", at + 2) : -1;
    if (end === -1) {
      out += char;
      continue;
    }
    const name = text.slice(at + 2, end);
    out += lookup(name) ?? `$(${name})`;
    at = end;
  }
  return out;
}
