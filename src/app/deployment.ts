/**
 * Brings a manifest into the store: images first, since the state of an image is part of the template, then the
 * objects. What was applied before and is no longer there is deleted.
 */
import { statSync } from "node:fs";
import path from "node:path";
import type { Artifact, Engine, ImageSource } from "../engine/engine.ts";
import type { ManifestDocument } from "../manifest/judge.ts";
import type { ConfigMap, KnativeService, Secret } from "../manifest/spec.ts";
import type { PlatformEventBody } from "../resources/events.ts";
import { ANNOTATIONS, type Kind, type StoredRevision } from "../resources/objects.ts";
import type { Store } from "../resources/store.ts";
import { mainContainer, requireOneContainer } from "../revision/plan.ts";
import {
  ambiguousDockerfile,
  buildContext,
  buildSource,
  hostSource,
  referenceSource,
  type ServiceFile,
  type SourceFlags,
} from "./image-source.ts";
import { isKnativeService } from "./documents.ts";
import { progressEvents } from "./progress-events.ts";

export interface DeploymentDeps {
  readonly engine: Engine;
  readonly store: Store;
  readonly flags: SourceFlags;
  readonly cwd: string;
  readonly emit: (event: PlatformEventBody) => void;
}

/** A build context in use: what the watcher has to watch for which service. */
export interface UsedContext {
  /** `namespace/name`. */
  readonly service: string;
  /** Changes with everything that the build depends on but the files in it. */
  readonly id: string;
  readonly root: string;
  readonly dockerfile: string;
}

type Deployable = KnativeService | ConfigMap | Secret;

export class Deployment {
  readonly #deps: DeploymentDeps;
  /** By id of the image. */
  readonly #artifacts = new Map<string, Artifact>();
  /** The image that each service was last built to. */
  readonly #built = new Map<string, string>();
  /** Notices that were given: once is enough. */
  readonly #mentioned = new Set<string>();

  constructor(deps: DeploymentDeps) {
    this.#deps = deps;
  }

  /** The contexts that these documents are built from. @throws KserveLocalError `usage` */
  contexts(documents: readonly ManifestDocument[]): readonly UsedContext[] {
    return this.#serviceFiles(documents).flatMap((file) => {
      const found = buildContext(file, this.#deps.flags, isFile);
      if (found === undefined) return [];
      const source = buildSource(file.service, found, this.#deps.flags);
      const id = JSON.stringify([source.context, source.dockerfile, source.target ?? "", source.buildArgs]);
      return [{ service: keyOf(file.service), id, root: found.context, dockerfile: found.dockerfile }];
    });
  }

  /**
   * Builds what is to be built (`rebuild`: all, or these services and those never built) and applies the documents.
   * Nothing is applied where a build fails. @throws KserveLocalError with exit code 4
   */
  async apply(
    documents: readonly ManifestDocument[],
    rebuild: "all" | ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const files = this.#serviceFiles(documents);
    for (const { service } of files)
      requireOneContainer(`service ${service.metadata.name}`, service.spec.template.spec);
    const due = files.filter(
      (file) =>
        rebuild === "all" || rebuild.has(keyOf(file.service)) || !this.#built.has(keyOf(file.service)),
    );
    await this.#buildAll(due, signal);
    signal.throwIfAborted();
    this.#mentionIdle(documents);
    this.#mentionUnused(files);
    const objects = documents.flatMap((document) => (isDeployable(document.object) ? [document.object] : []));
    // ConfigMaps and Secrets first: revisions read them as soon as they exist.
    for (const object of objects.toSorted(
      (a, b) => Number(a.kind === "Service") - Number(b.kind === "Service"),
    ))
      this.#put(object);
    this.#prune(objects);
    this.#forgetArtifacts();
  }

  /** The image of a revision: the one that was built for its template, or its reference, found or pulled now. */
  async prepare(revision: StoredRevision, signal: AbortSignal): Promise<Artifact> {
    const built = this.#artifacts.get(revision.metadata.annotations?.[ANNOTATIONS.imageId] ?? "");
    if (built !== undefined) return built;
    const container = mainContainer(revision);
    const source = referenceSource(container, this.#deps.flags);
    return this.#prepare(
      source,
      revision.metadata.labels?.["serving.knative.dev/service"] ?? revision.metadata.name,
      signal,
    );
  }

  /** Side by side. Where one fails the others end, too: a build that outlived this would bring an old image in later. */
  async #buildAll(files: readonly ServiceFile[], signal: AbortSignal): Promise<void> {
    const failing = new AbortController();
    const either = AbortSignal.any([signal, failing.signal]);
    const builds = files.map((file) => this.#build(file, either));
    try {
      await Promise.all(builds);
    } catch (error) {
      failing.abort(new Error("stopped, because another build failed"));
      await Promise.allSettled(builds);
      throw error;
    }
  }

  async #build(file: ServiceFile, signal: AbortSignal): Promise<void> {
    const { engine, flags } = this.#deps;
    const { service } = file;
    const found = buildContext(file, flags, isFile);
    const image = mainContainer({ spec: service.spec.template.spec }).image;
    let source: ImageSource;
    if (engine.description.kind === "process") source = hostSource(file, found, image);
    else if (found === undefined) return;
    else source = buildSource(service, found, flags);
    const artifact = await this.#prepare(source, service.metadata.name, signal);
    this.#artifacts.set(artifact.id, artifact);
    this.#built.set(keyOf(service), artifact.id);
  }

  async #prepare(source: ImageSource, service: string, signal: AbortSignal): Promise<Artifact> {
    const progress = progressEvents(service, source, this.#deps.emit);
    try {
      const artifact = await this.#deps.engine.prepare(source, { signal, onProgress: progress.report });
      progress.done(artifact);
      return artifact;
    } catch (error) {
      progress.failed(error);
      throw error;
    }
  }

  #put(object: Deployable): void {
    const { store } = this.#deps;
    switch (object.kind) {
      case "ConfigMap":
        store.apply<"ConfigMap">(object);
        return;
      case "Secret":
        store.apply<"Secret">(object);
        return;
      case "Service":
        store.apply<"Service">(this.#withImage(object));
    }
  }

  /** The state of the image is part of the template, so that a new build makes a new revision and an equal one does not. */
  #withImage(service: KnativeService): KnativeService {
    const id = this.#built.get(keyOf(service));
    if (id === undefined) return service;
    const { template } = service.spec;
    const annotations = { ...template.metadata?.annotations, [ANNOTATIONS.imageId]: id };
    return {
      ...service,
      spec: { ...service.spec, template: { ...template, metadata: { ...template.metadata, annotations } } },
    };
  }

  /** Configurations, Routes, Revisions and DomainMappings of their own are judged, and not run: said once of each. */
  #mentionIdle(documents: readonly ManifestDocument[]): void {
    for (const { object, file } of documents) {
      if (object === undefined || isDeployable(object)) continue;
      this.#mention(
        `${object.kind} ${object.metadata.name} in ${file} is valid, and kserve-local runs only Services`,
      );
    }
  }

  #mentionUnused(files: readonly ServiceFile[]): void {
    for (const file of files) {
      const unused = ambiguousDockerfile(file, this.#deps.flags, isFile);
      if (unused === undefined) continue;
      this.#mention(
        `nothing is built from ${unused}: it stands beside ${file.unnamedInDirectory} services; the annotation ${ANNOTATIONS.build}: . on a template says which of them it builds`,
      );
    }
  }

  #mention(message: string): void {
    if (this.#mentioned.has(message)) return;
    this.#mentioned.add(message);
    this.#deps.emit({ type: "notice", message });
  }

  /** An image that no revision names and no service was built to is not asked for again. */
  #forgetArtifacts(): void {
    const used = new Set([
      ...this.#built.values(),
      ...this.#deps.store.list("Revision").map(({ metadata }) => metadata.annotations?.[ANNOTATIONS.imageId]),
    ]);
    for (const id of this.#artifacts.keys()) if (!used.has(id)) this.#artifacts.delete(id);
  }

  #prune(objects: readonly Deployable[]): void {
    const { store } = this.#deps;
    const wanted = new Set(objects.map((object) => `${object.kind}/${keyOf(object)}`));
    for (const kind of ["Service", "ConfigMap", "Secret"] satisfies Kind[]) {
      for (const { metadata } of store.list(kind)) {
        if (wanted.has(`${kind}/${metadata.namespace}/${metadata.name}`)) continue;
        store.delete(kind, metadata.namespace, metadata.name);
        if (kind === "Service")
          this.#deps.emit({ type: "service.removed", service: metadata.name, namespace: metadata.namespace });
      }
    }
  }

  #serviceFiles(documents: readonly ManifestDocument[]): readonly ServiceFile[] {
    const found = documents.flatMap((document) => {
      const { object } = document;
      if (!isKnativeService(object)) return [];
      const directory =
        document.file === "<stdin>" ? undefined : path.dirname(path.resolve(this.#deps.cwd, document.file));
      return [
        {
          service: object,
          directory,
          named: object.spec.template.metadata?.annotations?.[ANNOTATIONS.build] !== undefined,
        },
      ];
    });
    return found.map(({ service, directory }) => ({
      service,
      directory,
      unnamedInDirectory: found.filter((other) => other.directory === directory && !other.named).length,
    }));
  }
}

function isDeployable(object: ManifestDocument["object"]): object is Deployable {
  return (
    object !== undefined &&
    (object.kind === "Service" || object.kind === "ConfigMap" || object.kind === "Secret")
  );
}

function keyOf(object: { readonly metadata: { readonly namespace: string; readonly name: string } }): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}
