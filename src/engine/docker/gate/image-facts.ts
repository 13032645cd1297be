/** What the gate has to know about an image beyond its Artifact: asked once for each image and kept by the caller. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { extract } from "tar-stream";
import { statusOf } from "../client.ts";
import { LABEL } from "../labels.ts";
import { discard } from "../stop.ts";
import type { Accounts } from "./user.ts";

export interface ImageFacts extends Accounts {
  /** Paths that the image declares as VOLUME. */
  readonly volumes: readonly string[];
}

const LONGEST_CHAIN = 5;
/** /etc/passwd of an image with thousands of users; more is not one. */
const LARGEST_FILE = 4 * 2 ** 20;

/**
 * Some 80 ms: it takes a container, which is never started. `labels` are the session's, so that the sweep finds the container
 * should we be killed meanwhile. Throws what the engine throws.
 */
export async function readImageFacts(
  docker: Docker,
  image: string,
  labels: Readonly<Record<string, string>>,
): Promise<ImageFacts> {
  const { Config: config } = await docker.getImage(image).inspect();
  const container = await docker.createContainer({
    Image: image,
    // Not run; an image without a command couldn't be created otherwise.
    Entrypoint: ["/"],
    Labels: { ...labels, [LABEL.role]: "look" },
    HostConfig: { NetworkMode: "none" },
  });
  try {
    const passwd = await readText(container, "/etc/passwd");
    const group = await readText(container, "/etc/group");
    // Podman and images from `docker import` leave out what is empty.
    return { passwd, group, volumes: Object.keys(config?.Volumes ?? {}) };
  } finally {
    await discard(container);
  }
}

/** Empty where there is no such file. */
async function readText(container: Docker.Container, start: string): Promise<string> {
  let path = start;
  for (let step = 0; step < LONGEST_CHAIN; step += 1) {
    try {
      const found = await firstEntry((await container.getArchive({ path })) as unknown as Readable);
      if (found.link === undefined) return found.text;
      path = found.link.startsWith("/")
        ? found.link
        : `${path.slice(0, path.lastIndexOf("/"))}/${found.link}`;
    } catch (error) {
      if (statusOf(error) === 404) return "";
      throw error;
    }
  }
  return "";
}

function firstEntry(archive: Readable): Promise<{ text: string; link?: string }> {
  return new Promise((resolve, reject) => {
    const entries = extract();
    entries.on("entry", (header, stream) => {
      if (header.type === "symlink") resolve({ text: "", link: header.linkname ?? "" });
      const kept: Buffer[] = [];
      let length = 0;
      stream.on("data", (data) => {
        const chunk = data as Buffer;
        length += chunk.length;
        if (length <= LARGEST_FILE) kept.push(chunk);
      });
      stream.on("end", () =>
        resolve({ text: header.type === "file" ? Buffer.concat(kept).toString("utf8") : "" }),
      );
    });
    entries.on("finish", () => resolve({ text: "" }));
    entries.on("error", reject);
    archive.on("error", reject);
    archive.pipe(entries);
  });
}
