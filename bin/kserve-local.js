#!/usr/bin/env -S node --
// Checks Node's version before anything that an older one could not parse is loaded.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(`kserve-local needs Node 20.19 or newer; this is ${process.version}\n`);
  process.exit(2);
}
const { main } = await import("../dist/cli/main.js");
process.exitCode = await main(process.argv.slice(2));
