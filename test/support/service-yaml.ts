/** A Knative Service as YAML, with what a test wants to vary. */
export interface ServiceYaml {
  readonly name?: string;
  readonly image?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Lines of spec.template.spec beside containers, without indent. */
  readonly spec?: readonly string[];
  /** Lines of the container, without indent. */
  readonly container?: readonly string[];
  readonly traffic?: readonly string[];
}

export function serviceYaml(options: ServiceYaml = {}): string {
  const {
    name = "hello",
    image = "dev.local/hello",
    annotations = {},
    spec = [],
    container = [],
    traffic,
  } = options;
  const indent = (lines: readonly string[], by: number): string[] =>
    lines.map((line) => `${" ".repeat(by)}${line}`);
  const entries = Object.entries(annotations);
  return [
    "apiVersion: serving.knative.dev/v1",
    "kind: Service",
    "metadata:",
    `  name: ${name}`,
    "spec:",
    ...(traffic === undefined ? [] : ["  traffic:", ...indent(traffic, 4)]),
    "  template:",
    ...(entries.length === 0
      ? []
      : [
          "    metadata:",
          "      annotations:",
          ...entries.map(([key, value]) => `        ${key}: "${value}"`),
        ]),
    "    spec:",
    ...indent(spec, 6),
    "      containers:",
    `      - image: ${image}`,
    ...indent(container, 8),
    "",
  ].join("\n");
}

/** A server that does as the request's path says, and a Dockerfile for it. */
export const BEHAVING_SERVER = `
const http = require("node:http");
const server = http.createServer((request, response) => {
  const url = new URL(request.url, "http://x");
  const respond = () => response.end(JSON.stringify({ revision: process.env.K_REVISION, text: "TEXT", env: url.pathname === "/env" ? process.env : undefined }) + "\\n");
  const wait = Number(url.searchParams.get("wait") ?? 0);
  if (wait > 0) console.log("waiting");
  if (wait > 0) setTimeout(respond, wait); else respond();
});
server.listen(process.env.PORT, () => console.log("listening on " + process.env.PORT));
process.on("SIGTERM", () => {
  if (process.env.STUBBORN) return console.log("SIGTERM ignored");
  console.log("SIGTERM seen");
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;

export const NODE_DOCKERFILE = `FROM node:22-slim
WORKDIR /app
COPY server.js .
CMD ["node", "server.js"]
`;
