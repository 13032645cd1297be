import { describe, expect, it } from "vitest";
import { baseImages, lineOfStep } from "../../../src/engine/docker/dockerfile.ts";
import { readInstructions } from "../../../src/engine/process/dockerfile-instructions.ts";

const TEXT = [
  "# syntax=docker/dockerfile:1",
  "ARG VERSION=22",
  "",
  "FROM --platform=linux/amd64 node:${VERSION} AS build",
  "WORKDIR /app",
  "RUN npm ci && \\",
  "    # not this time",
  "    npm run build",
  "RUN <<EOF",
  "RUN is text here",
  "EOF",
  "COPY . .",
  "FROM ghcr.io/team/base:v1",
  "COPY --from=build /app /app",
  "RUN echo $VERSION",
  "FROM build AS last",
  "RUN npm test",
  'CMD ["x"]',
].join("\n");

describe("a step of a Dockerfile", () => {
  const { instructions } = readInstructions(TEXT);

  it.each([
    ["[build 3/5] RUN npm ci && npm run build", 6],
    ["RUN npm ci &&     npm run build", 6],
    ["[build 4/5] RUN <<EOF (RUN is text here)", 9],
    ["[build 5/5] COPY . .", 12],
    ["[stage-1 3/3] RUN echo 22", 15],
    ["[last 2/2] RUN npm test", 17],
    ["[2/2] RUN something else", 17],
    ["[internal] load metadata for docker.io/library/node:22", undefined],
    ["exporting to image", undefined],
  ])("has the step %s at line %s", (step, line) => expect(lineOfStep(instructions, step)).toBe(line));

  it("may build from the images that are neither stages nor variable", () => {
    expect(baseImages(instructions)).toEqual(["ghcr.io/team/base:v1"]);
    expect(baseImages(readInstructions("from scratch\nFROM a AS b\nFROM B").instructions)).toEqual(["a"]);
  });
});
