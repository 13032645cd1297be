/** Why watching failed, with what to do about it. */
import { messageOf } from "../kernel/errors.ts";
import type { ProblemFound } from "../resources/events.ts";

const LIMITS: Readonly<
  Record<string, { readonly what: string; readonly setting: string; readonly value: number }>
> = {
  // inotify(7): inotify_add_watch and inotify_init answer with these where the user's share is used up.
  ENOSPC: {
    what: "the system's limit of watched files",
    setting: "fs.inotify.max_user_watches",
    value: 524_288,
  },
  EMFILE: { what: "the system's limit of watchers", setting: "fs.inotify.max_user_instances", value: 1024 },
};

export function watchProblem(error: unknown, directory: string, platform: NodeJS.Platform): ProblemFound {
  const limit = platform === "linux" ? LIMITS[codeOf(error) ?? ""] : undefined;
  if (limit === undefined) {
    return {
      type: "problem",
      severity: "warning",
      code: "watch-failed",
      message: `cannot watch everything below ${directory}: changes there may go unnoticed`,
      why: messageOf(error),
      hint: "restart `up` after a change that was missed, or exclude what cannot be read in .dockerignore",
    };
  }
  return {
    type: "problem",
    severity: "warning",
    code: "watch-limit",
    message: `${limit.what} is reached: changes below ${directory} may go unnoticed`,
    why: messageOf(error),
    hint:
      `raise it with \`sudo sysctl ${limit.setting}=${limit.value}\` (and keep it in /etc/sysctl.d/), ` +
      "or exclude large directories in .dockerignore",
  };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
