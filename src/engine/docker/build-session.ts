/**
 * The session that BuildKit calls back on while it builds, over an upgraded connection: it asks for credentials, one
 * registry at a time. dockerode's own session sends the same credentials to whichever registry asks.
 */
import { randomUUID } from "node:crypto";
import type { Duplex } from "node:stream";
import type { sendUnaryData, ServerUnaryCall, ServiceDefinition } from "@grpc/grpc-js";
import type Docker from "dockerode";
import { dial } from "./client.ts";
import type { RegistryCredentials } from "./credentials.ts";
import { decodeFields, encodeNumber, encodeText } from "./protobuf.ts";

export interface BuildSession {
  readonly id: string;
  close(): void;
}

const CREDENTIALS = "/moby.filesync.v1.Auth/Credentials";
const HEALTH = "/grpc.health.v1.Health/Check";
/** HealthCheckResponse.status: SERVING. */
const SERVING = encodeNumber(1, 1);

/** Docker Hub under the name by which BuildKit asks for it. */
const HUB_HOSTS = new Set(["registry-1.docker.io", "docker.io", "index.docker.io"]);

export async function openSession(
  docker: Docker,
  credentialsFor: (registry: string) => Promise<RegistryCredentials | undefined>,
): Promise<BuildSession> {
  const { Server, ServerCredentials, status } = await import("@grpc/grpc-js");
  const id = randomUUID();
  const socket = await dial<Duplex>(docker, {
    method: "POST",
    path: "/session",
    hijack: true,
    headers: {
      Upgrade: "h2c",
      "X-Docker-Expose-Session-Uuid": id,
      "X-Docker-Expose-Session-Name": "kserve-local",
      "X-Docker-Expose-Session-Sharedkey": "",
      "X-Docker-Expose-Session-Grpc-Method": [CREDENTIALS, HEALTH],
    },
    statusCodes: { 101: true, 200: true },
  });
  // An engine that goes away breaks the build's own connection too, and that one reports it.
  socket.on("error", () => undefined);
  const server = new Server();
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  server.addService(unary(CREDENTIALS), {
    [CREDENTIALS]: (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => {
      credentialsFor(registryIn(call.request)).then(
        (found) => done(null, answer(found)),
        (error: unknown) =>
          done({
            code: status.UNAVAILABLE,
            details: error instanceof Error ? error.message : "no credentials",
          }),
      );
    },
  });
  server.addService(unary(HEALTH), {
    [HEALTH]: (_call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>) => done(null, SERVING),
  });
  injector.injectConnection(socket);
  return {
    id,
    close: () => {
      server.forceShutdown();
      socket.destroy();
    },
  };
}

/** CredentialsRequest { string Host = 1 } */
function registryIn(request: Buffer): string {
  for (const field of decodeFields(request)) {
    if (field.number === 1 && field.kind === "bytes") {
      const host = field.value.toString();
      return HUB_HOSTS.has(host) ? "docker.io" : host;
    }
  }
  return "";
}

/** CredentialsResponse { string Username = 1; string Secret = 2 }; a secret without a name is an identity token. */
function answer(found: RegistryCredentials | undefined): Buffer {
  if (found === undefined) return Buffer.alloc(0);
  if (found.identitytoken !== undefined) return encodeText({ 2: found.identitytoken });
  return encodeText({ 1: found.username ?? "", 2: found.password ?? "" });
}

function unary(path: string): ServiceDefinition {
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    [path]: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}
