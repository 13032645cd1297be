import type { ContainerRun } from "../engine.ts";

/** Said once for each session, when the first source is prepared. */
export const HOST_PROCESS_NOTICE =
  "instances run as processes of this machine, not in containers: the base image, its file system and its user are not " +
  "emulated, and every instance gets a port of its own in PORT, so the app has to listen where PORT says";

/** What a run asks for and a host process can't have, in the manifest's words; empty where nothing is lost. */
export function unsupportedByProcess(run: ContainerRun): string[] {
  const lost: string[] = [];
  if (run.memoryBytes !== undefined) lost.push("resources.limits.memory: a host process isn't limited");
  if (run.cpuMillis !== undefined) lost.push("resources.limits.cpu: a host process isn't limited");
  if (run.user !== undefined) lost.push("securityContext.runAsUser/runAsGroup: the process runs as you");
  if (run.readOnlyRootFilesystem === true) {
    lost.push("securityContext.readOnlyRootFilesystem: the process sees this machine's files");
  }
  if (run.files.length > 0) {
    lost.push(
      `volumeMounts (secret, configMap): not put at ${run.files.map((file) => file.path).join(", ")}`,
    );
  }
  if (run.emptyDirs.length > 0) lost.push(`volumeMounts (emptyDir): not made at ${run.emptyDirs.join(", ")}`);
  return lost;
}
