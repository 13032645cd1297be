/**
 * The behaviours that test/suites/engine-suite.ts asks for, apart from the process they run in, so that the fake engine
 * can run the same app inside the test.
 *
 * Environment: PRINT = JSON array of [stream, text], written as it is at the start. EXIT = exit with this code after
 * that, without listening. ON_SIGTERM = `drain` (after DRAIN_MS, default 0, answer what is held, then exit 0), `ignore`, or
 * `deaf` (ignore without a word); otherwise the default.
 * Paths: / (hello), /about (JSON: argv, env, cwd, port), /exit?code=n, /die (SIGKILL to itself), /hold (answers only
 * while draining), /print?stream=&text=
 */
export function contractApp(host) {
  const held = new Set();
  for (const [stream, text] of JSON.parse(host.env.PRINT ?? "[]")) host.write(stream, text);
  if (host.env.EXIT !== undefined) {
    host.exit(Number(host.env.EXIT));
    return undefined;
  }
  if (host.env.ON_SIGTERM === "ignore") host.onTerminate(() => host.write("stdout", "ignoring SIGTERM\n"));
  if (host.env.ON_SIGTERM === "deaf") host.onTerminate(() => undefined);
  if (host.env.ON_SIGTERM === "drain") host.onTerminate(() => drain(host, held));
  return (request, response) => {
    const url = new URL(request.url, "http://app");
    switch (url.pathname) {
      case "/":
        response.end("hello");
        break;
      case "/about":
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify({ argv: host.argv, env: host.env, cwd: host.cwd, port: request.socket.localPort }));
        break;
      case "/exit":
        response.end("exiting", () => host.exit(Number(url.searchParams.get("code"))));
        break;
      case "/die":
        response.end("dying", () => host.die());
        break;
      case "/hold":
        held.add(response);
        host.write("stdout", "holding\n");
        break;
      case "/print":
        host.write(url.searchParams.get("stream"), url.searchParams.get("text"));
        response.end("printed");
        break;
      default:
        response.statusCode = 404;
        response.end();
    }
  };
}

async function drain(host, held) {
  host.write("stdout", "draining\n");
  await new Promise((resolve) => setTimeout(resolve, Number(host.env.DRAIN_MS ?? 0)));
  await Promise.all([...held].map((response) => new Promise((resolve) => response.end("held until SIGTERM", resolve))));
  host.write("stdout", "drained\n");
  host.exit(0);
}
