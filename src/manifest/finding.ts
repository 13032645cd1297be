/**
 * What a rule has found, with paths relative to the object that the rule looked at. Callers put their own part in
 * front, as Knative's FieldError does; a path may therefore look odd where Knative's does (`ports.containerPort`).
 */
export interface Finding {
  readonly code: string;
  /** "" is the object itself. Several paths: fields that are wrong together. */
  readonly paths: readonly string[];
  readonly message: string;
  readonly hint?: string;
  readonly severity?: "warning" | "notice";
  /**
   * Where to point, when that is not `paths`. With no `paths` at all, the platform names no field, but there is a
   * place all the same.
   */
  readonly place?: string;
  /** Point at the key rather than at the value. */
  readonly atKey?: true;
}

export type Findings = readonly Finding[];

export function found(
  code: string,
  paths: string | readonly string[],
  message: string,
  hint?: string,
): Finding {
  return {
    code,
    paths: typeof paths === "string" ? [paths] : paths,
    message,
    ...(hint === undefined ? {} : { hint }),
  };
}

/** A refusal for which the platform names no field. */
export function foundAt(code: string, place: string, message: string, hint?: string): Finding {
  return { code, paths: [], place, message, ...(hint === undefined ? {} : { hint }) };
}

export function via(prefix: string, findings: Findings): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    paths: finding.paths.map((path) => join(prefix, path)),
    ...(finding.place === undefined ? {} : { place: join(prefix, finding.place) }),
  }));
}

/** `a` and `b` make `a.b`, `a` and `[0]` make `a[0]`. Empty parts vanish. */
export function join(prefix: string, path: string): string {
  if (prefix === "" || path === "") return prefix + path;
  return /^\[(?:\d+|\*)\]/.test(path) ? prefix + path : `${prefix}.${path}`;
}

export function bounds(
  value: number | string,
  min: number,
  max: number,
  path: string,
  hint?: string,
): Finding {
  const name = /([A-Za-z-]+)(?:\[\d+\])?\]?$/.exec(path)?.[1] ?? "the value";
  return found("out-of-bounds", path, `\`${name}\` is ${value}; it must be from ${min} to ${max}.`, hint);
}

export function missing(path: string, message: string, hint?: string): Finding {
  return found("missing-field", path, message, hint);
}
