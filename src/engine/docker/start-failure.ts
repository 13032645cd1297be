/** Why a container did not start, in the words of someone who wrote a service.yaml. */
import type { ErrorDetails } from "../../kernel/errors.ts";

export type StartVerdict = Pick<ErrorDetails, "what" | "why" | "fix">;

interface Rule {
  readonly pattern: RegExp;
  /** `found` is the pattern's first group. */
  verdict(found: string, program: string): Omit<StartVerdict, "why">;
}

/** In order; the texts of runc differ in their beginnings from version to version, and agree in their ends. */
const RULES: readonly Rule[] = [
  {
    pattern: /exec: "([^"]*)":.*(?:no such file or directory|not found in \$PATH)/s,
    verdict: (found) => commandMissing(found),
  },
  {
    pattern: /exec: "([^"]*)":.*(?:permission denied|is a directory)/s,
    verdict: (found) => notExecutable(found),
  },
  {
    pattern: /exec format error/,
    verdict: (_found, program) => foreignProgram(program, "another architecture"),
  },
  {
    pattern: /OCI runtime attempted to invoke a command that was not found/i,
    verdict: (_found, program) => commandMissing(program),
  },
  { pattern: /(?:No command specified|no command or entrypoint)/i, verdict: () => noCommand() },
  { pattern: /unable to find (?:user|group) (\S+?):/, verdict: (found) => unknownUser(found) },
  { pattern: /Minimum memory limit allowed is (\S+)/i, verdict: (found) => memoryTooSmall(found) },
  { pattern: /container name "([^"]*)" is already in use/i, verdict: (found) => nameTaken(found) },
  { pattern: /address already in use|port is already allocated/i, verdict: () => portTaken() },
  { pattern: /No such image: (\S+)/i, verdict: (found) => imageGone(found) },
];

/** Every failure has a verdict; an unknown one carries the engine's own text. */
export function explainStartFailure(text: string, program: string): StartVerdict {
  for (const rule of RULES) {
    const match = rule.pattern.exec(text);
    if (match !== null) return { ...rule.verdict(match[1] ?? "", program), why: text };
  }
  return { what: "The engine could not start the container", why: text };
}

export function commandMissing(command: string): StartVerdict {
  return {
    what: `The container's command "${command}" does not exist in the image`,
    fix: 'Correct `command` in the manifest, or ENTRYPOINT/CMD in the Dockerfile; a shell line needs ["sh", "-c", "…"]',
  };
}

export function notExecutable(command: string): StartVerdict {
  return {
    what: `The container's command "${command}" is not executable`,
    fix: `Give it the permission in the Dockerfile: RUN chmod +x ${command} (or COPY --chmod=755)`,
  };
}

export function foreignProgram(program: string, machine: string): StartVerdict {
  return {
    what: `The container's command "${program}" is built for ${machine}, and Knative's nodes here are linux/amd64`,
    fix: "Build the program for linux/amd64: docker build --platform linux/amd64, or GOOS=linux GOARCH=amd64 for Go",
  };
}

export function interpreterMissing(script: string, interpreter: string): StartVerdict {
  const windows = interpreter.endsWith("\r");
  return {
    what: `The container's command "${script}" can't run: its first line names ${JSON.stringify(interpreter)}, which the image lacks`,
    fix: windows
      ? `Save ${script} with Unix line ends (LF); a .gitattributes line "*.sh text eol=lf" keeps them`
      : `Install ${interpreter} in the image, or name an interpreter it has (often /bin/sh)`,
  };
}

export function loaderMissing(program: string, loader: string): StartVerdict {
  return {
    what: `The container's command "${program}" can't run: it needs ${loader}, which the image lacks`,
    why: "It was linked against another C library than the image's (glibc and musl don't mix)",
    fix: "Link it statically (CGO_ENABLED=0 for Go), or use a base image of the same kind as the build stage's",
  };
}

function noCommand(): StartVerdict {
  return {
    what: "The image has no command to run",
    fix: "Set CMD or ENTRYPOINT in the Dockerfile, or `command` in the manifest",
  };
}

function unknownUser(user: string): StartVerdict {
  return {
    what: `The user "${user}" does not exist in the image`,
    fix: "Create it in the Dockerfile before USER, or use a number (USER 1000)",
  };
}

function memoryTooSmall(least: string): StartVerdict {
  return {
    what: `The memory limit is below what the engine allows, ${least}`,
    fix: "Raise resources.limits.memory in the manifest",
  };
}

function nameTaken(name: string): StartVerdict {
  return {
    what: `A container named ${name} exists already`,
    fix: `Remove it: docker rm -f ${name.replace(/^\//, "")}`,
  };
}

function portTaken(): StartVerdict {
  return { what: "The port that the engine chose for the container is taken", fix: "Try again" };
}

function imageGone(image: string): StartVerdict {
  return {
    what: `The image ${image} has been removed from the engine`,
    fix: "Build or pull it again: restart kserve-local",
  };
}
