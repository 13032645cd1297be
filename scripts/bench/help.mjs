/** `kserve-local --help`, from start to exit; against Node doing nothing. */
import { bin, environment } from "./emulator.mjs";
import { output } from "./process.mjs";
import { compare } from "./stats.mjs";

export const title = "--help";
export const aim = "under 200 ms";

export async function measure({ quick }) {
  const ours = [];
  const baseline = [];
  for (let turn = -1; turn < (quick ? 5 : 25); turn += 1) {
    const [help, nothing] = [await timed([bin, "--help"]), await timed(["-e", "0"])];
    if (turn < 0) continue;
    ours.push(help);
    baseline.push(nothing);
  }
  return { unit: "ms", ...compare(ours, baseline, 0), baselineIs: "node -e 0" };
}

async function timed(args) {
  const startedAt = performance.now();
  await output([process.execPath, ...args], { env: environment() });
  return performance.now() - startedAt;
}
