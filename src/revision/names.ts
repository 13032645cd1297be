/** Names of instances, as Kubernetes would name the pods of a revision's deployment (BEHAVIOUR 3.4). */
import { createHash } from "node:crypto";

/** Kubernetes' own alphabet for suffixes: no vowels, no look-alikes. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";
const LONGEST_NAME = 63;

/** `hello-00001-deployment-6b9f4d7c5f-x8k2p`; `random` gives [0, 1). At most 63 characters, so that it is a host name. */
export function instanceName(revision: string, uid: string, random: () => number): string {
  const hash = createHash("sha256").update(uid).digest("hex").slice(0, 10);
  const id = Array.from({ length: 5 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join("");
  const tail = `-deployment-${hash}-${id}`;
  if (revision.length + tail.length <= LONGEST_NAME) return revision + tail;
  const short = `-${id}`;
  return revision.slice(0, LONGEST_NAME - short.length) + short;
}
