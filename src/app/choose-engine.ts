/** Which engine runs the instances: docker when one answers, else host processes; says which and why (DESIGN 4). */
import type { Engine } from "../engine/engine.ts";
import type { Clock } from "../kernel/clock.ts";
import { isKserveLocalError, messageOf } from "../kernel/errors.ts";

export type EngineChoice = "auto" | "docker" | "process";

export interface ChosenEngine {
  readonly engine: Engine;
  readonly reason: string;
}

export interface ChooseEngineDeps {
  readonly clock: Clock;
  readonly session: string;
}

/** @throws KserveLocalError `engine-unreachable` where docker was asked for and does not answer */
export async function chooseEngine(choice: EngineChoice, deps: ChooseEngineDeps): Promise<ChosenEngine> {
  if (choice === "process")
    return { engine: await processEngine(deps), reason: "asked for by --engine process" };
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
      reason: `no container engine answers (${messageOf(error)}), so the service runs as a process on this machine`,
    };
  }
}

async function processEngine(deps: ChooseEngineDeps): Promise<Engine> {
  const { createProcessEngine } = await import("../engine/process/process-engine.ts");
  return createProcessEngine(deps);
}
