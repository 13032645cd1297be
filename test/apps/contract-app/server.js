import { createServer } from "node:http";
import { contractApp } from "./app.js";

const handler = contractApp({
  argv: process.argv.slice(2),
  env: process.env,
  cwd: process.cwd(),
  write: (stream, text) => process[stream].write(text),
  // Not process.exit: what was written to a pipe may not have left yet.
  exit: (code) => {
    process.exitCode = code;
    const flushed = ["stdout", "stderr"].map((name) => new Promise((resolve) => process[name].write("", resolve)));
    void Promise.all(flushed).then(() => process.exit());
  },
  die: () => process.kill(process.pid, "SIGKILL"),
  onTerminate: (listener) => process.on("SIGTERM", listener),
});
if (handler !== undefined) {
  const server = createServer(handler);
  server.listen(Number(process.env.PORT ?? 8080), () => process.stdout.write("listening\n"));
}
