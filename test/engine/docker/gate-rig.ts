/** One container, run plainly as start.ts does or behind a gate, and what could be seen of it. */
import { randomUUID } from "node:crypto";
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { engineWords } from "../../../src/engine/docker/client.ts";
import { argvOf, containerSpec } from "../../../src/engine/docker/container-spec.ts";
import { createGate, type Gate } from "../../../src/engine/docker/gate/gate.ts";
import { readImageFacts } from "../../../src/engine/docker/gate/image-facts.ts";
import { resolveUser } from "../../../src/engine/docker/gate/user.ts";
import { installHelper, type InstalledHelper } from "../../../src/engine/docker/helper/install.ts";
import { type Holder, startHolder } from "../../../src/engine/docker/holder/holder.ts";
import { clusterNetwork } from "../../../src/engine/docker/holder/holder-spec.ts";
import { inspectImage, toArtifact } from "../../../src/engine/docker/inspect.ts";
import { ownIdentity, sessionLabels } from "../../../src/engine/docker/labels.ts";
import { followLogs } from "../../../src/engine/docker/logs.ts";
import { explainStartFailure } from "../../../src/engine/docker/start-failure.ts";
import { removeContainer } from "../../../src/engine/docker/stop.ts";
import type { Artifact, ContainerRun, InstanceRun, LogLine } from "../../../src/engine/engine.ts";
import { messageOf } from "../../../src/kernel/errors.ts";
import { NEVER } from "./rig.ts";

export type Way = "plain" | "gate" | "gate and memory";

export interface Seen {
  readonly code: number;
  readonly oom: boolean;
  readonly stdout: string;
  readonly stderr: string;
  /** What the user is told where the program could not be executed. */
  readonly refusal?: string;
}

export interface Case {
  readonly image: string;
  readonly run?: Partial<ContainerRun>;
  /** Default true. */
  readonly init?: boolean;
  /** Done when this has been printed, e.g. sending a signal. */
  readonly when?: readonly [line: string, act: (container: Docker.Container) => Promise<unknown>];
}

export const HOSTNAME = "app-00001-deployment-abc";

export class GateRig {
  readonly docker: Docker;
  readonly labels: Readonly<Record<string, string>>;
  readonly helper: InstalledHelper;
  readonly #holders: Holder[] = [];
  readonly #containers: Docker.Container[] = [];
  readonly #images: string[] = [];

  constructor(docker: Docker, labels: Readonly<Record<string, string>>, helper: InstalledHelper) {
    this.labels = labels;
    this.docker = docker;
    this.helper = helper;
  }

  static async make(docker: Docker): Promise<GateRig> {
    const labels = sessionLabels(ownIdentity(randomUUID()));
    return new GateRig(docker, labels, await installHelper(docker, labels));
  }

  async holder(): Promise<Holder> {
    const holder = await startHolder(
      {
        docker: this.docker,
        image: this.helper.image,
        run: {
          name: `gate-test-${randomUUID().slice(0, 8)}`,
          hostname: HOSTNAME,
          labels: this.labels,
          port: 8080,
          extraHosts: [],
          ...clusterNetwork(["default"], 8080),
        },
        onConnection: ({ stream }) => void stream.destroy(),
      },
      NEVER,
    );
    this.#holders.push(holder);
    return holder;
  }

  /** An image on top of another, with a Dockerfile's instructions and files. */
  async image(base: string, changes: readonly string[], files?: Buffer): Promise<string> {
    const container = await this.docker.createContainer({ Image: base, Entrypoint: ["/"] });
    if (files !== undefined) await container.putArchive(files, { path: "/" });
    const tag = randomUUID().slice(0, 8);
    // Entrypoint is the base's again: it was given only so that the container could be created.
    await container.commit({ repo: "localhost/kserve-local-test/gate", tag, changes: changes.join("\n") });
    await container.remove();
    const name = `localhost/kserve-local-test/gate:${tag}`;
    this.#images.push(name);
    return name;
  }

  async artifact(image: string): Promise<Artifact> {
    const found = await inspectImage(this.docker, image);
    if (found === undefined) throw new Error(`no image ${image}`);
    return toArtifact(found, image, "found");
  }

  async gate(
    holder: Holder,
    way: Way,
    test: Case,
    onLog: (line: LogLine) => void,
    engine: "usual" | "no rights" = "usual",
  ): Promise<Gate> {
    const { main, spec } = await this.#plan(test, false);
    const { passwd, group, volumes } = await readImageFacts(this.docker, main.artifact.id, this.labels);
    const memoryRoot = {
      user: resolveUser(main.user ?? main.artifact.user, { passwd, group }),
      ...(main.memoryBytes === undefined ? {} : { bytes: main.memoryBytes }),
      volumes,
      hasHome: [...main.artifact.env, ...main.env].some(([name]) => name === "HOME"),
      filter: true,
    };
    const gate = await createGate({
      docker: engine === "usual" ? this.docker : grantsNothing(this.docker),
      spec,
      name: "user-container",
      onLog,
      options: {
        argv: argvOf(main),
        init: test.init ?? true,
        holder: holder.id,
        volume: this.helper.volume,
        token: randomUUID(),
        ...(way === "gate and memory" ? { memoryRoot } : {}),
      },
    });
    this.#containers.push(gate.container);
    return gate;
  }

  async see(way: Way, test: Case): Promise<Seen> {
    const lines: LogLine[] = [];
    let act: Promise<unknown> | undefined;
    let container: Docker.Container | undefined;
    const onLog = (line: LogLine): void => {
      lines.push(line);
      if (act === undefined && container !== undefined && line.line === test.when?.[0])
        act = test.when[1](container);
    };
    let refusal: string | undefined;
    let output: Promise<void>;
    if (way === "plain") {
      const { spec } = await this.#plan(test, test.init ?? true);
      container = await this.docker.createContainer(spec);
      this.#containers.push(container);
      const stream = await container.attach({ stream: true, stdout: true, stderr: true });
      output = followLogs(stream as unknown as Readable, "user-container", onLog);
      try {
        await container.start();
      } catch (error) {
        refusal = explainStartFailure(engineWords(error), "").what;
        (stream as unknown as Readable).destroy();
      }
    } else {
      const gate = await this.gate(await this.holder(), way, test, onLog);
      ({ container, output } = gate);
      void gate.refused.then((error) => (refusal = messageOf(error)));
      await gate.start(NEVER);
      gate.release();
    }
    await output;
    await act;
    if (refusal === undefined) await container.wait();
    const { State: state } = await container.inspect();
    const text = (name: string): string =>
      lines.flatMap(({ stream, line }) => (stream === name ? [line] : [])).join("\n");
    return {
      code: state.ExitCode,
      oom: state.OOMKilled,
      stdout: text("stdout"),
      stderr: text("stderr"),
      ...(refusal === undefined ? {} : { refusal }),
    };
  }

  /** Containers first: their network is the holders'. */
  async clear(): Promise<void> {
    await Promise.all(this.#containers.splice(0).map((container) => removeContainer(container)));
    await Promise.all(this.#holders.splice(0).map((holder) => holder.close()));
  }

  async close(): Promise<void> {
    await this.clear();
    for (const image of this.#images) await this.docker.getImage(image).remove({ force: true });
  }

  async #plan({ image, run = {} }: Case, init: boolean) {
    const artifact = await this.artifact(image);
    const main: ContainerRun = {
      name: "user-container",
      artifact,
      env: [["PORT", "8080"]],
      files: [],
      emptyDirs: [],
      ...run,
    };
    const instance: InstanceRun = {
      name: `${HOSTNAME}-${randomUUID().slice(0, 8)}`,
      service: "gate",
      revision: "gate-00001",
      main,
      port: 8080,
      onLog: () => undefined,
    };
    const spec = containerSpec(instance, { labels: this.labels, init, product: "docker" });
    return { main, spec: { ...spec, Hostname: HOSTNAME } };
  }
}

/** An engine that hears of no capabilities to add. */
function grantsNothing(docker: Docker): Docker {
  const createContainer = ({ HostConfig: host, ...rest }: Docker.ContainerCreateOptions) =>
    docker.createContainer({ ...rest, HostConfig: { ...host, CapAdd: [] } });
  return { createContainer } as unknown as Docker;
}
