/** Objects as YAML that every Kubernetes tool reads alike. */
import { Document, Scalar, visit } from "yaml";
import { resolvePlain } from "./yaml-scalars.ts";

/**
 * With a newline at the end. Strings that a reader could take for something else are quoted, whether kubectl's (`yes`,
 * `0644`, `0o17`) or another one of YAML 1.1 (`12:30`). Lines are never folded.
 */
export function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Scalar: (_, node) => {
      if (typeof node.value === "string" && isAmbiguous(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0 });
}

/** Of YAML 1.1, what kubectl's reader leaves alone and others do not: base 60 (`12:30`), dates, the default value. */
const ELSEWHERE = /^(?:[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?|\d{4}-\d\d?-\d\d?.*|=|<<)$/s;

function isAmbiguous(text: string): boolean {
  return ELSEWHERE.test(text) || resolvePlain(text) !== text;
}
