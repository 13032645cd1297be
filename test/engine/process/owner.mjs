// Stands for a kserve-local that gets killed: starts the contract app with the compiled engine and waits.
// Arguments: directory of the compiled sources, directory of the app, state directory.
const [compiled, app, stateDirectory] = process.argv.slice(2);
const { createProcessEngine } = await import(`${compiled}/engine/process/process-engine.js`);
const { systemClock } = await import(`${compiled}/kernel/clock.js`);

const signal = new AbortController().signal;
const engine = createProcessEngine({ clock: systemClock(), session: "owner", stateDirectory });
const artifact = await engine.prepare(
  { kind: "host", directory: app, dockerfile: "Dockerfile", reference: "app" },
  { signal, onProgress() {} },
);
const instance = await engine.start(
  {
    name: "owned",
    service: "s",
    revision: "r",
    port: 8080,
    main: { name: "c", artifact, env: [["ON_SIGTERM", "deaf"]], files: [], emptyDirs: [] },
    onLog({ line }) {
      if (line === "listening")
        process.stdout.write(`${JSON.stringify({ pid: instance.id, port: instance.address.port })}\n`);
    },
  },
  signal,
);
