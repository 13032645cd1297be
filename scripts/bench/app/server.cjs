// The app under measurement: as little as possible beside Node's own server, so that what is seen is the platform's.
const { createServer } = require("node:http");

const version = "v0";
const body = `hello ${version}\n`;

const server = createServer((request, response) => {
  response.setHeader("content-type", "text/plain");
  // Who answers and where, for the runs that need to reach it without the proxy.
  if (request.url === "/where")
    response.end(JSON.stringify({ pid: process.pid, port: server.address().port }));
  else response.end(body);
});

// Longer than any pause between two rounds: no connection is lost to the app's own time-out.
server.keepAliveTimeout = 120_000;
server.listen(Number(process.env.PORT || 8080), () => process.stdout.write("listening\n"));
process.on("SIGTERM", () => process.exit(0));
