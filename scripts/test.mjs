// `npm test`: installs and builds when needed, then runs the suites one after the other (they share the machine's
// cores, and some measure time): unit and socket always, docker and e2e where a container engine answers. The last line
// is the sum over all suites, alone on its line, so that any CI can read it. What follows `--` goes to vitest.
//
// Without an engine the last two are skipped and named; with CI or KSERVE_LOCAL_REQUIRE_ENGINE set, that is a failure.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled, root } from "./build.mjs";

const engineRequired = isSet("CI") || isSet("KSERVE_LOCAL_REQUIRE_ENGINE");
const filters = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
const notes = [];

process.exitCode = await main();

async function main() {
  ensureInstalled();
  ensureBuilt();
  runSuites("unit and socket", ["unit", "socket"]);
  const problem = (await engineProblem()) ?? baseImagesProblem();
  if (problem === undefined) {
    runSuites("docker", ["docker"]);
    runSuites("e2e", ["e2e"]);
  } else if (engineRequired) {
    fail(`the docker and e2e suites could not run: ${problem}`);
  } else {
    notes.push(`Skipped the docker and e2e suites: ${problem}`);
  }
  const ran = total.passed + total.failed;
  if (ran === 0) fail("no test ran");
  for (const note of notes) print(note);
  print(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed > 0 ? 1 : 0;
}

/** Runs vitest once over the projects, and adds what its JSON report says to the total. */
function runSuites(title, projects) {
  print(`\n== ${title}`);
  const started = performance.now();
  const folder = mkdtempSync(join(tmpdir(), "kserve-local-test-"));
  const report = join(folder, "report.json");
  const vitest = spawnSync(
    process.execPath,
    [
      join(root, "node_modules", "vitest", "vitest.mjs"),
      "run",
      ...projects.flatMap((project) => ["--project", project]),
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${report}`,
      "--passWithNoTests",
      ...filters,
    ],
    {
      cwd: root,
      stdio: "inherit",
      env: { ...process.env, KSERVE_LOCAL_REQUIRE_ENGINE: engineRequired ? "1" : "" },
    },
  );
  const failedBefore = total.failed;
  if (existsSync(report)) addReport(title, JSON.parse(readFileSync(report, "utf8")));
  else fail(`${title}: vitest ended without a report (${vitest.signal ?? `exit code ${vitest.status}`})`);
  rmSync(folder, { recursive: true });
  print(`== ${title}: ${Math.round((performance.now() - started) / 1000)} s`);
  if (vitest.status !== 0 && total.failed === failedBefore) {
    fail(`${title}: vitest failed outside of any test (${vitest.signal ?? `exit code ${vitest.status}`})`);
  }
}

function addReport(title, report) {
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
  // A file that fails to load has no tests to count.
  for (const file of report.testResults) {
    const counted = file.assertionResults.some((test) => test.status === "failed");
    if (file.status === "failed" && !counted) fail(`${title}: ${file.name}: ${file.message}`);
  }
  if (engineRequired && filters.length === 0 && report.numTotalTests === 0) fail(`${title}: no test found`);
}

/** Why no engine can be used, or undefined where one answers. */
async function engineProblem() {
  const address = process.env.DOCKER_HOST || "unix:///var/run/docker.sock";
  const reason = await ping(address);
  if (reason === undefined) return undefined;
  return (
    `no container engine answers at ${address} (${reason}). ` +
    "On Debian as root `npm run engine` installs and starts one; elsewhere start Docker, or set DOCKER_HOST."
  );
}

function ping(address) {
  if (isSet("DOCKER_TLS_VERIFY")) return Promise.resolve(undefined); // needs certificates: let the suites try
  const { protocol, hostname, port, pathname } = new URL(address.replace(/^tcp:/, "http:"));
  if (protocol !== "unix:" && protocol !== "http:") return Promise.resolve(undefined); // ssh, npipe: let the suites try
  const target = protocol === "unix:" ? { socketPath: pathname } : { host: hostname, port: port || 2375 };
  return new Promise((resolve) => {
    const call = request({ ...target, path: "/_ping", timeout: 10_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? undefined : `status ${response.statusCode}`);
    });
    call.on("timeout", () => call.destroy(new Error("no answer in 10 s")));
    call.on("error", (error) => resolve(error.code ?? error.message));
    call.end();
  });
}

/**
 * Makes the stand-ins for base images where that is possible (Debian, root); elsewhere the engine pulls the real ones.
 * Returns why the suites can't have base images, or undefined.
 */
function baseImagesProblem() {
  const debian =
    process.platform === "linux" && existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (!debian) return undefined;
  const made = spawnSync("bash", [join(root, "scripts", "base-images.sh")], { cwd: root, stdio: "inherit" });
  return made.status === 0 ? undefined : "scripts/base-images.sh failed, its output is above";
}

function fail(message) {
  total.failed += 1;
  notes.push(`FAILED ${message}`);
}

function isSet(name) {
  return !["", "0", "false", undefined].includes(process.env[name]);
}

function print(line) {
  process.stdout.write(`${line}\n`);
}
