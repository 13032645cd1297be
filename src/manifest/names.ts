/**
 * Kubernetes' rules for names. Each check answers with what is wrong, as the end of a sentence, or undefined.
 * Source: k8s.io/apimachinery/pkg/util/validation.
 */

const DNS_1123_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const DNS_1035_LABEL = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;
const QUALIFIED_PART = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

type Check = (name: string) => string | undefined;

export const dns1035Label: Check = (name) => {
  if (name.length > 63) return `is ${name.length} characters long; at most 63 are allowed`;
  return DNS_1035_LABEL.test(name)
    ? undefined
    : "must consist of lower case letters, digits and dashes, begin with a letter, and end with a letter or digit";
};

export const dns1123Label: Check = (name) => {
  if (name.length > 63) return `is ${name.length} characters long; at most 63 are allowed`;
  return DNS_1123_LABEL.test(name)
    ? undefined
    : "must consist of lower case letters, digits and dashes, and begin and end with a letter or digit";
};

export const dns1123Subdomain: Check = (name) => {
  if (name.length > 253) return `is ${name.length} characters long; at most 253 are allowed`;
  const valid = name.split(".").every((label) => DNS_1123_LABEL.test(label));
  return valid
    ? undefined
    : "must consist of lower case letters, digits, dashes and dots, and begin and end with a letter or digit";
};

/** `name` or `prefix/name`, as keys of labels and annotations are. */
export const qualifiedName: Check = (key) => {
  const parts = key.split("/");
  if (parts.length > 2) return "may contain one slash at most, between a domain and a name";
  const [prefix, name] = parts.length === 2 ? [parts[0] ?? "", parts[1] ?? ""] : [undefined, parts[0] ?? ""];
  if (prefix === "") return "has nothing before its slash";
  const wrong = prefix === undefined ? undefined : dns1123Subdomain(prefix);
  if (wrong !== undefined) return `has a domain part that ${wrong}`;
  if (name === "") return "has no name";
  if (name.length > 63) return "has a name of more than 63 characters";
  return QUALIFIED_PART.test(name)
    ? undefined
    : "must consist of letters, digits, dashes, underscores and dots, and begin and end with a letter or digit";
};

export const labelValue: Check = (value) => {
  if (value.length > 63) return `is ${value.length} characters long; at most 63 are allowed`;
  return value === "" || QUALIFIED_PART.test(value)
    ? undefined
    : "must consist of letters, digits, dashes, underscores and dots, and begin and end with a letter or digit";
};

/** A name that passes `dns1035Label` made from any text; "" if nothing is left. */
export function asDnsLabel(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "");
  return plain.slice(0, 63).replace(/-+$/, "");
}

/** A prefix may end with a dash: something follows. */
export function maskTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith("-") ? `${prefix.slice(0, -2)}a` : prefix;
}
