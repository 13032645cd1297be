/** Kubernetes' ObjectMeta. */
import { flag, int64, list, shape, strings, text, texts, time, type Shape } from "./field.ts";

const OWNER_REFERENCE = shape("OwnerReference", {
  apiVersion: text("API version of the owner.", { keep: true }),
  kind: text("Kind of the owner.", { keep: true }),
  name: text("Name of the owner.", { keep: true }),
  uid: text("UID of the owner.", { keep: true }),
  controller: flag("Whether the owner is the managing controller.", { pointer: true }),
  blockOwnerDeletion: flag("Whether the owner can go before this object.", { pointer: true }),
});

export const OBJECT_META: Shape = shape("ObjectMeta", {
  name: text(
    "Name of the object, unique in its namespace. It becomes the first part of the host name, so it is a DNS label: up to 63 lower case letters, digits and dashes, beginning with a letter.",
  ),
  generateName: text(
    "Prefix of a name that the server completes. The emulator completes it the same way on every run.",
  ),
  namespace: text("Namespace of the object.", { default: "default" }),
  selfLink: text("Unused; older tools write it."),
  uid: text("Set by the server."),
  resourceVersion: text("Set by the server."),
  generation: int64("Set by the server."),
  creationTimestamp: time("Set by the server."),
  deletionTimestamp: time("Set by the server."),
  deletionGracePeriodSeconds: int64("Set by the server.", { pointer: true }),
  labels: strings("Labels: names and short values by which objects are found."),
  annotations: strings(
    "Annotations: names and values for tools. Values are strings: quote numbers and booleans.",
  ),
  ownerReferences: list("Objects that this one belongs to.", () => OWNER_REFERENCE),
  finalizers: texts("Names of those who must finish before the object can go."),
  managedFields: { type: { kind: "list", of: { kind: "any" } }, doc: "Set by the server." },
});
