/** Puts the files of secret and configMap volumes into a container that was created and not yet started. */
import type Docker from "dockerode";
import { pack } from "tar-stream";
import type { ContainerFile, ContainerRun } from "../engine.ts";
import { fileVolumes } from "./container-spec.ts";

/**
 * Onto the writable layer; where the root is read-only, into volumes at the files' folders, which the engine lets us
 * fill, having copied into them what the image holds there.
 */
export async function writeFiles(container: Docker.Container, run: ContainerRun): Promise<void> {
  if (run.files.length === 0) return;
  const volumes = fileVolumes(run);
  if (volumes.length === 0) {
    await container.putArchive(await tarOf(run.files, "/"), { path: "/" });
    return;
  }
  for (const folder of volumes) {
    const inside = run.files.filter((file) => file.path.startsWith(folder === "/" ? "/" : `${folder}/`));
    await container.putArchive(await tarOf(inside, folder), { path: folder });
  }
}

/** Files only: an entry for a folder would change the mode of one that the image has. The engine makes missing ones. */
async function tarOf(files: readonly ContainerFile[], root: string): Promise<Buffer> {
  const archive = pack();
  for (const file of files) {
    const name = file.path.slice(root === "/" ? 1 : root.length + 1);
    archive.entry({ name, mode: file.mode & 0o7777, uid: 0, gid: 0 }, Buffer.from(file.content));
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
