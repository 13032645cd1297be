/**
 * Image references as Knative's webhook reads them: leniently. Source: google/go-containerregistry pkg/name with
 * WeakValidation (tag.go, digest.go, repository.go, registry.go, check.go).
 */
const REPOSITORY = /^[a-z0-9_./-]{2,255}$/;
const TAG = /^[A-Za-z0-9_.-]{1,128}$/;
const SHA256 = /^sha256:[0-9a-f]{64}$/;
/** Characters that Go's net/url takes in a host: unreserved, sub-delims, a few more, and anything beyond ASCII. */
const HOST = /^[A-Za-z0-9\-._~!$&'()*+,;=<>"\u0080-\u{10ffff}]*(?::\d*)?$/u;
const BRACKETED_HOST = /^\[[0-9A-Fa-f:.]+\](?::\d*)?$/;

/** What is wrong with the reference, as the end of a sentence, or undefined. */
export function imageFault(image: string): string | undefined {
  const asTag = tagFault(image);
  if (asTag === undefined) return undefined;
  return image.includes("@") ? digestFault(image) : asTag;
}

function tagFault(image: string): string | undefined {
  const colon = image.lastIndexOf(":");
  const tag = colon < 0 || image.includes("/", colon) ? undefined : image.slice(colon + 1);
  if (tag === undefined) return repositoryFault(image);
  if (tag === "") return "ends with a colon, but has no tag after it";
  if (!TAG.test(tag))
    return `has the tag "${tag}"; a tag has up to 128 letters, digits, dashes, underscores and dots`;
  return repositoryFault(image.slice(0, colon));
}

function digestFault(image: string): string | undefined {
  const [base = "", digest = "", ...more] = image.split("@");
  if (more.length > 0) return "contains more than one @";
  if (!SHA256.test(digest)) return "has a digest that is not sha256: followed by 64 hexadecimal digits";
  const withoutTag = tagFault(base) === undefined ? base.replace(/:[^:/]*$/, "") : base;
  return repositoryFault(withoutTag);
}

function repositoryFault(name: string): string | undefined {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const hasRegistry = slash >= 0 && (first.includes(".") || first.includes(":") || first === "localhost");
  const repository = hasRegistry ? name.slice(slash + 1) : name;
  if (/[A-Z]/.test(repository) && REPOSITORY.test(repository.toLowerCase()))
    return "has capital letters; only a tag may have them";
  if (repository.length < 2) return "has a name shorter than two characters";
  if (repository.length > 255) return "has a name longer than 255 characters";
  if (!REPOSITORY.test(repository))
    return "contains a character that a name may not have; it consists of lower case letters, digits, and . _ - /";
  if (hasRegistry && !HOST.test(first) && !BRACKETED_HOST.test(first))
    return `has "${first}" for a registry, which is not a host with an optional port`;
  return undefined;
}
