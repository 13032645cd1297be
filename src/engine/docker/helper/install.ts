/**
 * Brings the helper into the engine: as an image for holders and as a volume for app containers. Nothing is pulled. Both are
 * named by the program's content and labelled with a role and no session: they stay, as images do, for the next session.
 */
import { Readable } from "node:stream";
import type Docker from "dockerode";
import { pack } from "tar-stream";
import { KserveLocalError } from "../../../kernel/errors.ts";
import { settled, statusOf } from "../client.ts";
import { containerFiles } from "../image-files.ts";
import { LABEL } from "../labels.ts";
import { jsonLines } from "../ndjson.ts";
import { discard } from "../stop.ts";
import { HELPER_FILE, HELPER_FOLDER, HELPER_PROGRAM, type HelperBinary, readHelper } from "./binary.ts";

export interface InstalledHelper {
  /** Image that runs the helper as its entry point. */
  readonly image: string;
  /** Volume that holds the program, to be mounted at HELPER_FOLDER. */
  readonly volume: string;
}

const REPOSITORY = "kserve-local/helper";
const ROLE = "helper";

/**
 * Some 20 ms where both are there already. `labels` are the session's, for the container that fills the volume and that the
 * sweep has to find should we be killed meanwhile. Throws what the engine throws, and KserveLocalError `engine-error`.
 */
export async function installHelper(
  docker: Docker,
  labels: Readonly<Record<string, string>>,
): Promise<InstalledHelper> {
  const binary = await readHelper();
  const image = await ensureImage(docker, binary);
  const volume = await ensureVolume(docker, binary, image, labels);
  return { image, volume };
}

async function ensureImage(docker: Docker, { bytes, hash }: HelperBinary): Promise<string> {
  // Podman puts names without a registry under localhost/; with it they are the same on both.
  const repo = `localhost/${REPOSITORY}`;
  const reference = `${repo}:${hash}`;
  try {
    await docker.getImage(reference).inspect();
    return reference;
  } catch (error) {
    if (statusOf(error) !== 404) throw error;
  }
  const changes = [`ENTRYPOINT ["${HELPER_PROGRAM}"]`, `LABEL ${LABEL.role}=${ROLE}`];
  const archive = await tarOf(`${HELPER_FOLDER.slice(1)}/${HELPER_FILE}`, bytes);
  const options = { repo, tag: hash, changes, platform: "linux/amd64" };
  const progress = await docker.importImage(Readable.from([archive]), options);
  for await (const step of jsonLines(progress as Readable)) {
    if (typeof step["error"] === "string")
      throw new KserveLocalError("engine-error", {
        what: "The engine did not take kserve-local's helper image",
        why: step["error"],
      });
  }
  return reference;
}

/**
 * Filled through a container that is never started. A volume that is there may still be empty: whoever made it may have been
 * killed before it was filled. Two sessions at once write the same bytes.
 */
async function ensureVolume(
  docker: Docker,
  { bytes, hash }: HelperBinary,
  image: string,
  labels: Readonly<Record<string, string>>,
): Promise<string> {
  const volume = `kserve-local-helper-${hash}`;
  await settled(docker.createVolume({ Name: volume, Labels: { [LABEL.role]: ROLE } }), [409]);
  const seed = await docker.createContainer({
    Image: image,
    Labels: { ...labels, [LABEL.role]: ROLE },
    HostConfig: {
      NetworkMode: "none",
      Mounts: [
        { Type: "volume", Source: volume, Target: HELPER_FOLDER, VolumeOptions: { NoCopy: true } as never },
      ],
    },
  });
  try {
    const present = await containerFiles(seed).stat(HELPER_PROGRAM);
    if (present === undefined)
      await seed.putArchive(await tarOf(HELPER_FILE, bytes), { path: HELPER_FOLDER });
  } finally {
    await discard(seed);
  }
  return volume;
}

/** One executable file, always the same bytes. */
async function tarOf(name: string, content: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name, mode: 0o755, mtime: new Date(0), uid: 0, gid: 0 }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
