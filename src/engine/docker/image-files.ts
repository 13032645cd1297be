/** Looks into the file system of a container that was created, without running anything in it. */
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { extract } from "tar-stream";
import { statusOf } from "./client.ts";

export interface ImageFile {
  readonly isDirectory: boolean;
  readonly executable: boolean;
  /** Where a symbolic link ends up, absolute. */
  readonly target?: string;
}

export interface ImageFiles {
  /** Undefined where there is no such path. */
  stat(path: string): Promise<ImageFile | undefined>;
  /** The first bytes of a regular file. */
  head(path: string): Promise<Buffer>;
}

const HEAD_BYTES = 4096;

/** Go's os.FileMode, as the engine reports it. */
const MODE_DIRECTORY = 2 ** 31;
const MODE_LINK = 2 ** 27;

/** The files of a container that was created. */
export function containerFiles(container: Docker.Container): ImageFiles {
  return {
    stat: async (path) => {
      try {
        const response = (await container.infoArchive({ path })) as Readable & {
          headers: Record<string, string>;
        };
        response.resume();
        const text = Buffer.from(response.headers["x-docker-container-path-stat"] ?? "", "base64").toString();
        const { mode, linkTarget } = JSON.parse(text) as { mode: number; linkTarget: string };
        const link = Math.floor(mode / MODE_LINK) % 2 === 1;
        return {
          isDirectory: mode >= MODE_DIRECTORY,
          executable: (mode & 0o111) !== 0,
          ...(link ? { target: linkTarget } : {}),
        };
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },
    head: async (path) => firstBytes((await container.getArchive({ path })) as unknown as Readable),
  };
}

/** Of the archive's first file; the rest of it, which may be a hundred megabytes, is not fetched. */
function firstBytes(archive: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const kept: Buffer[] = [];
    let length = 0;
    const finish = (): void => {
      archive.destroy();
      resolve(Buffer.concat(kept).subarray(0, HEAD_BYTES));
    };
    const entries = extract();
    entries.on("entry", (_header, stream) => {
      stream.on("data", (data) => {
        const chunk = data as Buffer;
        kept.push(chunk);
        length += chunk.length;
        if (length >= HEAD_BYTES) finish();
      });
      stream.on("end", finish);
    });
    entries.on("error", reject);
    archive.on("error", reject);
    archive.pipe(entries);
  });
}
