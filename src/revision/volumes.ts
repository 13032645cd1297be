/** Secret and configMap volumes as files, emptyDir as directories: what a container finds below its mount points. */
import path from "node:path/posix";
import type { ContainerFile } from "../engine/engine.ts";
import { KserveLocalError } from "../kernel/errors.ts";
import type { Container, KeyToPath, Volume } from "../manifest/spec.ts";
import type { ConfigLookup } from "./env.ts";

export interface ContainerVolumes {
  readonly files: readonly ContainerFile[];
  readonly emptyDirs: readonly string[];
}

/** Kubernetes' default mode for files of secret and configMap volumes. */
const DEFAULT_MODE = 0o644;

/** @throws KserveLocalError `manifest-invalid` for a missing object or key, `engine-unsupported` for other kinds of volume. */
export function containerVolumes(
  container: Container,
  volumes: readonly Volume[],
  lookup: ConfigLookup,
): ContainerVolumes {
  const files: ContainerFile[] = [];
  const emptyDirs: string[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.find((candidate) => candidate.name === mount.name);
    if (volume === undefined) continue;
    if (volume.emptyDir !== undefined) {
      emptyDirs.push(mount.mountPath);
      continue;
    }
    for (const file of volumeFiles(volume, lookup)) {
      if (mount.subPath === undefined || mount.subPath === "") {
        files.push({ ...file, path: path.join(mount.mountPath, file.path) });
      } else if (file.path === mount.subPath) {
        files.push({ ...file, path: mount.mountPath });
      } else if (file.path.startsWith(`${mount.subPath}/`)) {
        files.push({ ...file, path: path.join(mount.mountPath, file.path.slice(mount.subPath.length + 1)) });
      }
    }
  }
  return { files, emptyDirs };
}

function volumeFiles(volume: Volume, lookup: ConfigLookup): ContainerFile[] {
  const source = volume.secret ?? volume.configMap;
  if (source === undefined)
    throw new KserveLocalError("engine-unsupported", {
      what: `volume ${volume.name} is of a kind that is not emulated yet`,
      why: "secret, configMap and emptyDir volumes are; projected, persistent and other volumes are not",
      fix: "take the volume out of the manifest that you run locally",
    });
  const kind = volume.secret === undefined ? "ConfigMap" : "Secret";
  const name = volume.secret?.secretName ?? volume.configMap?.name ?? "";
  const data = kind === "Secret" ? lookup.secret(name) : lookup.configMap(name);
  if (data === undefined) {
    if (source.optional === true) return [];
    throw new KserveLocalError("manifest-invalid", {
      what: `${kind} ${name} does not exist, and volume ${volume.name} needs it`,
      why: "on a cluster the instance would wait for it in ContainerCreating",
      fix: `add a ${kind} document named ${name} to the paths given to kserve-local, or mark the volume optional: true`,
    });
  }
  const items: readonly KeyToPath[] = source.items ?? [...data.keys()].map((key) => ({ key, path: key }));
  return items.flatMap((item): ContainerFile[] => {
    const content = data.get(item.key);
    const mode = item.mode ?? source.defaultMode ?? DEFAULT_MODE;
    if (content !== undefined) return [{ path: item.path, content, mode }];
    if (source.optional === true) return [];
    throw new KserveLocalError("manifest-invalid", {
      what: `${kind} ${name} has no key ${item.key}, and volume ${volume.name} needs it`,
      fix: `add the key to the ${kind}, or take the item out of the volume`,
    });
  });
}
