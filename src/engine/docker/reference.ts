/**
 * Image references as Docker reads them: `[registry/]repository[:tag][@digest]`.
 * Rule: github.com/distribution/reference, normalize.go.
 */
export interface ImageReference {
  /** `docker.io`, `ghcr.io`, `localhost:5000`. */
  readonly registry: string;
  /** Path in the registry; one-word names of Docker Hub get `library/`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest is given; absent where only a digest is. */
  readonly tag?: string;
  readonly digest?: string;
  /** As written, with `:latest` made explicit: what the engine is asked for. */
  readonly name: string;
}

const HUB_NAMES = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** Registries that name no registry: what `ko`, `kind` and `docker build` put on images that were never pushed. */
const LOCAL_REGISTRIES = new Set(["dev.local", "ko.local", "kind.local", "localhost"]);

const HOST = /^(?:[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*|\[[0-9a-fA-F:]+\])(?::\d+)?$/;
const REPOSITORY = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*$/;

/** Throws RangeError for text that can't be a reference. */
export function parseReference(text: string): ImageReference {
  const [named, digest] = splitOnce(text, "@");
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const path = hasTag ? named.slice(0, colon) : named;
  const written = hasTag ? named.slice(colon + 1) : undefined;
  if (digest !== undefined && !/^[a-z0-9+._-]+:[0-9a-f]{32,}$/.test(digest))
    throw new RangeError(`"${text}" has a malformed digest`);
  const tag = written ?? (digest === undefined ? "latest" : undefined);
  const { registry, repository } = splitRegistry(path);
  if (!HOST.test(registry) || !REPOSITORY.test(repository) || !/^\w[\w.-]{0,127}$/.test(tag ?? "latest"))
    throw new RangeError(`"${text}" is not an image reference`);
  const name = `${path}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
  return {
    registry,
    repository,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    name,
  };
}

/** True for names that no registry serves, so that a pull could only fail (or fetch a stranger's image). */
export function isLocalOnly(reference: ImageReference): boolean {
  return LOCAL_REGISTRIES.has(reference.registry);
}

/** The first component is a registry only if it looks like a host; otherwise the image is on Docker Hub. */
function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf("/");
  const first = slash < 0 ? "" : path.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  if (slash > 0 && isHost && !HUB_NAMES.has(first))
    return { registry: first, repository: path.slice(slash + 1) };
  const rest = isHost ? path.slice(slash + 1) : path;
  return { registry: "docker.io", repository: rest.includes("/") ? rest : `library/${rest}` };
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
