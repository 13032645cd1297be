import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 8080);
const target = process.env.TARGET ?? "World";

const server = createServer((request, response) => {
  console.log(`${request.method} ${request.url}`);
  response.setHeader("content-type", "text/plain; charset=utf-8");
  response.end(`Hello ${target}!\n`);
});

server.listen(port, () => console.log(`Listening on port ${port}`));

// The platform sends SIGTERM before it takes an instance away: finish what is running, then go.
process.on("SIGTERM", () => {
  console.log("SIGTERM: finishing");
  server.close(() => process.exit(0));
});
