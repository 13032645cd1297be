/** Removes what sessions left behind: a dead one's at the start of the next, and our own at the end. */
import type Docker from "dockerode";
import { settled } from "./client.ts";
import { isDead, LABEL, type Liveness } from "./labels.ts";
import { removeContainer } from "./stop.ts";

interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

type List = (docker: Docker, label: string) => Promise<Labelled[]>;

/** Everything of sessions whose process is gone. Images stay: they are the cache of the next build. */
export function sweepDead(docker: Docker, now: Liveness): Promise<number> {
  return removeWhere(docker, LABEL.session, (labels) => isDead(labels, now));
}

/** Everything of one session. */
export function sweepSession(docker: Docker, session: string): Promise<number> {
  return removeWhere(docker, `${LABEL.session}=${session}`, () => true);
}

/**
 * Containers first: volumes and networks are in use until then, and of those the holders last, whose network the others use.
 * Throws only where nothing could be listed.
 */
async function removeWhere(
  docker: Docker,
  label: string,
  which: (labels: Readonly<Record<string, string>>) => boolean,
): Promise<number> {
  let removed = 0;
  for (const list of [joined, holders, volumes, networks]) {
    const chosen = (await list(docker, label)).filter((thing) => which(thing.labels));
    const results = await Promise.allSettled(chosen.map((thing) => thing.remove()));
    removed += results.filter((result) => result.status === "fulfilled").length;
  }
  return removed;
}

const joined: List = async (docker, label) =>
  (await containers(docker, label)).filter((entry) => !isHolder(entry));
const holders: List = async (docker, label) => (await containers(docker, label)).filter(isHolder);

function isHolder({ labels }: Labelled): boolean {
  return labels[LABEL.role] === "holder";
}

async function containers(docker: Docker, label: string): Promise<Labelled[]> {
  const found = await docker.listContainers({ all: true, filters: { label: [label] } });
  return found.map((entry) => ({
    labels: entry.Labels,
    remove: () => removeContainer(docker.getContainer(entry.Id)),
  }));
}

async function volumes(docker: Docker, label: string): Promise<Labelled[]> {
  const { Volumes: found } = await docker.listVolumes({ filters: { label: [label] } });
  return (found ?? []).map((entry) => ({
    labels: entry.Labels ?? {},
    remove: () => settled(docker.getVolume(entry.Name).remove({ force: true }), [404]),
  }));
}

async function networks(docker: Docker, label: string): Promise<Labelled[]> {
  const found = await docker.listNetworks({ filters: { label: [label] } });
  return found.map((entry) => ({
    labels: entry.Labels ?? {},
    remove: () => settled(docker.getNetwork(entry.Id).remove(), [404]),
  }));
}
