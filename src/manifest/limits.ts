/**
 * What one manifest may cost. Whatever is beyond is a problem with a position, never an exception or a hang.
 * The numbers are far above any real manifest: etcd takes no object over 1.5 MiB.
 */
export const LIMITS = {
  /** Bytes of one source. */
  sourceBytes: 2 * 1024 * 1024,
  /** Documents in one source. */
  documents: 2000,
  /** Mappings and sequences inside each other. A Knative Service needs 14. */
  depth: 100,
  /** Values of one document once its aliases are expanded. */
  values: 200_000,
  /** Problems reported for one document; the rest are counted. */
  problems: 200,
} as const;
