/**
 * Every difference between the profiles. `knative` is the plain platform with its shipped settings; `gke` is
 * Knative serving on Google Cloud (BEHAVIOUR: GKE documents request timeouts of up to 24 hours).
 */
export type ProfileName = "gke" | "knative";

export interface Profile {
  readonly name: ProfileName;
  /** Upper bound of timeoutSeconds that replaces the platform's, in seconds. */
  readonly maxTimeoutSeconds: number | undefined;
  /** Above this, timeoutSeconds is a warning: other installations refuse it. In seconds. */
  readonly warnTimeoutSeconds: number | undefined;
  /** Whether the annotations of Google's platforms mean something, rather than nothing. */
  readonly googleAnnotations: boolean;
  /** Whether a service account may be an e-mail address, as on Cloud Run. */
  readonly serviceAccountEmail: boolean;
  /** Whether `kind: List` is opened, as kubectl does; Knative's API alone has no such kind. */
  readonly opensLists: boolean;
}

export const PROFILES: Readonly<Record<ProfileName, Profile>> = {
  gke: {
    name: "gke",
    maxTimeoutSeconds: 86_400,
    warnTimeoutSeconds: 600,
    googleAnnotations: true,
    serviceAccountEmail: true,
    opensLists: true,
  },
  knative: {
    name: "knative",
    maxTimeoutSeconds: undefined,
    warnTimeoutSeconds: undefined,
    googleAnnotations: false,
    serviceAccountEmail: false,
    opensLists: false,
  },
};
