/** Volumes of a revision, and their mounts. */
import { anything, flag, int64, list, object, quantity, shape, strings, text, type Shape } from "./field.ts";
import {
  DEFAULT_MODE,
  FIELD_REF,
  items,
  KEY_TO_PATH,
  LOCAL_REFERENCE,
  optional,
  REFERENCE_NAME,
  RESOURCE_FIELD_REF,
} from "./references.ts";

const SECRET_VOLUME = shape("SecretVolumeSource", {
  secretName: text("Name of the Secret. Here the field is called secretName, elsewhere name."),
  items: items(),
  defaultMode: DEFAULT_MODE,
  optional: optional(),
});

const CONFIG_MAP_VOLUME = shape("ConfigMapVolumeSource", {
  name: REFERENCE_NAME,
  items: items(),
  defaultMode: DEFAULT_MODE,
  optional: optional(),
});

const PROJECTION = shape("Projection", { name: REFERENCE_NAME, items: items(), optional: optional() });

const DOWNWARD_FILE = shape("DownwardAPIVolumeFile", {
  path: text("Relative path of the file.", { keep: true }),
  fieldRef: object("Field of the pod.", () => FIELD_REF),
  resourceFieldRef: object("Resource of a container.", () => RESOURCE_FIELD_REF),
  mode: KEY_TO_PATH.fields.get("mode") ?? DEFAULT_MODE,
});

const VOLUME_PROJECTION = shape("VolumeProjection", {
  secret: object("Entries of a Secret.", () => PROJECTION),
  configMap: object("Entries of a ConfigMap.", () => PROJECTION),
  downwardAPI: object("Fields of the pod.", () =>
    shape("DownwardAPIProjection", { items: list("The files.", () => DOWNWARD_FILE) }),
  ),
  serviceAccountToken: object("A token of the service account.", () =>
    shape("ServiceAccountTokenProjection", {
      audience: text("Who the token is for."),
      expirationSeconds: int64("Seconds of validity.", { pointer: true, default: "3600" }),
      path: text("Relative path of the file.", { keep: true }),
    }),
  ),
  clusterTrustBundle: anything("Certificates of the cluster.", { closed: true, pointer: true }),
  podCertificate: anything("A certificate of the pod.", { closed: true, pointer: true }),
});

const PROJECTED = shape("ProjectedVolumeSource", {
  sources: list("What is put together.", () => VOLUME_PROJECTION, { keep: true }),
  defaultMode: DEFAULT_MODE,
});

const EMPTY_DIR = shape("EmptyDirVolumeSource", {
  medium: text('Where it lives: "" for the node\'s disk, Memory for a tmpfs.', { values: ["", "Memory"] }),
  sizeLimit: quantity("Size above which the pod is evicted.", { pointer: true }),
});

const PVC = shape("PersistentVolumeClaimVolumeSource", {
  claimName: text("Name of the claim.", { keep: true }),
  readOnly: flag("Mount it read-only."),
});

const HOST_PATH = shape("HostPathVolumeSource", {
  path: text("Path on the node.", { keep: true }),
  type: text("Kind of the path.", { pointer: true }),
});

const CSI = shape("CSIVolumeSource", {
  driver: text("Name of the driver.", { keep: true }),
  readOnly: flag("Mount it read-only.", { pointer: true }),
  fsType: text("File system.", { pointer: true }),
  volumeAttributes: strings("Settings of the driver."),
  nodePublishSecretRef: object("Secret for the driver.", () => LOCAL_REFERENCE, { open: true }),
});

const IMAGE = shape("ImageVolumeSource", {
  reference: text("Image reference."),
  pullPolicy: text("When to pull it."),
});
const EPHEMERAL = shape("EphemeralVolumeSource", {
  volumeClaimTemplate: anything("The claim to make.", { pointer: true }),
});
const NOT_MOUNTED = "the emulator does not mount it";

export const VOLUME: Shape = shape("Volume", {
  name: text("Name by which containers mount it.", { keep: true }),
  secret: object("Entries of a Secret as files.", () => SECRET_VOLUME),
  configMap: object("Entries of a ConfigMap as files.", () => CONFIG_MAP_VOLUME),
  projected: object("Several sources in one directory.", () => PROJECTED, {
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
  emptyDir: object("A directory that lives as long as the instance.", () => EMPTY_DIR, {
    open: true,
    flag: "kubernetes.podspec-volumes-emptydir",
  }),
  persistentVolumeClaim: object("A persistent volume.", () => PVC, {
    open: true,
    flag: "kubernetes.podspec-persistent-volume-claim",
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
  hostPath: object("A directory of the node.", () => HOST_PATH, {
    open: true,
    flag: "kubernetes.podspec-volumes-hostpath",
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
  csi: object("A volume of a storage driver.", () => CSI, {
    open: true,
    flag: "kubernetes.podspec-volumes-csi",
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
  image: object("The files of an image.", () => IMAGE, {
    open: true,
    flag: "kubernetes.podspec-volumes-image",
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
  ephemeral: object("A volume made for the pod.", () => EPHEMERAL, {
    open: true,
    flag: "kubernetes.podspec-volumes-ephemeral",
    fidelity: "accepted",
    note: NOT_MOUNTED,
  }),
});

export const VOLUME_MOUNT: Shape = shape("VolumeMount", {
  name: text("Name of the volume.", { keep: true }),
  readOnly: flag("Mount it read-only. Knative sets it for Secrets, ConfigMaps and projected volumes."),
  recursiveReadOnly: text("Read-only for mounts below, too.", { pointer: true, closed: true }),
  mountPath: text("Absolute path in the container; not /, /dev or /dev/log.", { keep: true }),
  subPath: text("Path inside the volume."),
  mountPropagation: text("None or HostToContainer.", {
    pointer: true,
    flag: "kubernetes.podspec-volumes-mount-propagation",
    fidelity: "accepted",
    note: "mounts are not propagated",
  }),
  subPathExpr: text("Path inside the volume, with variables.", { closed: true }),
});
