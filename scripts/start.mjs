// `npm start` on a fresh clone: installs, builds, and runs the main job on the first example. What follows `--` is
// passed on: `npm start -- --port 9000`.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, ensureInstalled, root } from "./build.mjs";

ensureInstalled();
ensureBuilt();

const bin = join(root, "bin", "kserve-local.js");
const manifest = join(root, "examples", "hello-node", "service.yaml");
// In this process and not as a child: the terminal's Ctrl-C, keys, exit code and signals are then simply the CLI's own.
process.argv = [process.execPath, bin, "up", manifest, ...process.argv.slice(2)];
await import(pathToFileURL(bin).href);
