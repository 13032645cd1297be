/** Which engine runs the instances: docker when one answers, else host processes; says which and why (DESIGN 4). */
import type { Engine } from "../engine/engine.ts";
import type { Clock } from "../kernel/clock.ts";
import { KserveLocalError, isKserveLocalError, messageOf } from "../kernel/errors.ts";

export type EngineChoice = "auto" | "docker" | "process";

export interface ChosenEngine {
  readonly engine: Engine;
  readonly reason: string;
}

export interface ChooseEngineDeps {
  readonly clock: Clock;
  readonly session: string;
  /** A command was given after `--`: it runs on this machine. */
  readonly hasCommand: boolean;
  /** Most containers that wait for a start that is likely to come (docker). */
  readonly standby: number;
  /** Where what apps write goes (docker). */
  readonly filesystem: "memory" | "disk";
  onNotice(message: string): void;
}

/** @throws KserveLocalError `engine-unreachable` where docker was asked for and does not answer */
export async function chooseEngine(choice: EngineChoice, deps: ChooseEngineDeps): Promise<ChosenEngine> {
  if (deps.hasCommand && choice === "docker")
    throw new KserveLocalError("usage", {
      what: "a command after -- is run on this machine, and --engine docker asks for containers",
      fix: "leave one of them out; a container's command is spec.template.spec.containers[].command",
    });
  if (choice === "process")
    return { engine: await processEngine(deps), reason: "asked for by --engine process" };
  if (deps.hasCommand)
    return { engine: await processEngine(deps), reason: "a command to run is given after --" };
  try {
    const { connectDocker } = await import("../engine/docker/connect.ts");
    const engine = await connectDocker(deps);
    return {
      engine,
      reason: choice === "docker" ? "asked for by --engine docker" : "a container engine answers",
    };
  } catch (error) {
    if (choice === "docker" || !isKserveLocalError(error, "engine-unreachable")) throw error;
    return {
      engine: await processEngine(deps),
      reason: `no container engine: ${messageOf(error)}`,
    };
  }
}

async function processEngine(deps: ChooseEngineDeps): Promise<Engine> {
  const { createProcessEngine } = await import("../engine/process/process-engine.ts");
  return createProcessEngine(deps);
}
