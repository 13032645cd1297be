import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 8080);
const backend = process.env.BACKEND_URL ?? "http://127.0.0.1:8081";

const server = createServer(async (request, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  try {
    const { quote, revision } = await askBackend();
    response.end(`${revision} says: ${quote}\n`);
  } catch (error) {
    console.error(`${backend}: ${error.cause?.message ?? error.message}`);
    response.statusCode = 502;
    response.end("The backend does not answer\n");
  }
});

async function askBackend() {
  // A backend at zero answers when it has started: no short timeout here.
  const response = await fetch(backend);
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
  return response.json();
}

server.listen(port, () => console.log(`Listening on port ${port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
