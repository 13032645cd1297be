import { createServer } from "node:http";

const port = Number(process.env.PORT ?? 8080);
const quotes = ["Everything should start cold.", "Nothing is free but zero.", "Scale is a number, too."];
let served = 0;

const server = createServer((request, response) => {
  const quote = quotes[served % quotes.length];
  served += 1;
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify({ quote, revision: process.env.K_REVISION })}\n`);
});

server.listen(port, () => console.log(`Listening on port ${port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)));
