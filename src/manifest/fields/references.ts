/** References from a container or volume to ConfigMaps, Secrets and fields of the pod. */
import { flag, int32, list, quantity, shape, text, type Field, type Shape } from "./field.ts";

/** LocalObjectReference.name has had the schema default "" since Kubernetes 1.31. */
export const REFERENCE_NAME = text("Name of the object, in the Service's namespace.", { schemaDefault: "" });

const OPTIONAL = flag("Whether the revision may start without it.", { pointer: true, default: "false" });

export const LOCAL_REFERENCE: Shape = shape("LocalObjectReference", { name: REFERENCE_NAME });

export const KEY_SELECTOR: Shape = shape("KeySelector", {
  name: REFERENCE_NAME,
  key: text("Key of the entry.", { keep: true }),
  optional: OPTIONAL,
});

export const ENV_SOURCE: Shape = shape("EnvSource", { name: REFERENCE_NAME, optional: OPTIONAL });

export const FIELD_REF: Shape = shape("ObjectFieldSelector", {
  apiVersion: text("Version of the schema of fieldPath.", { default: "v1" }),
  fieldPath: text("Path of the field of the pod, e.g. metadata.name.", { keep: true }),
});

export const RESOURCE_FIELD_REF: Shape = shape("ResourceFieldSelector", {
  containerName: text("Container whose resources are meant."),
  resource: text("E.g. limits.memory.", { keep: true }),
  divisor: quantity("Unit of the output.", { keep: true, default: "1" }),
});

export const KEY_TO_PATH: Shape = shape("KeyToPath", {
  key: text("Key of the entry.", { keep: true }),
  path: text("Relative path of the file.", { keep: true }),
  mode: int32("Permissions of the file, 0 to 0777. YAML reads 0644 as octal, JSON does not.", {
    pointer: true,
    bounds: [0, 0o777],
  }),
});

export const DEFAULT_MODE = int32("Permissions of the files, 0 to 0777.", {
  pointer: true,
  default: "0644",
  bounds: [0, 0o777],
});

export function items(): Field {
  return list(
    "Which keys become which files; without it, every key becomes a file of its name.",
    () => KEY_TO_PATH,
  );
}

export function optional(): Field {
  return OPTIONAL;
}
