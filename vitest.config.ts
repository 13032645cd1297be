import { defineConfig } from "vitest/config";

/**
 * Four kinds of test, each a project of its own, so that the quick ones can run alone:
 * unit (no I/O worth the name), socket (loopback sockets and host processes), docker (a real engine),
 * e2e (the whole CLI as a process).
 */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.socket.test.ts", "test/**/*.docker.test.ts", "test/**/*.e2e.test.ts"],
          testTimeout: 10_000,
        },
      },
      {
        test: {
          name: "socket",
          include: ["test/**/*.socket.test.ts"],
          testTimeout: 20_000,
          hookTimeout: 20_000,
        },
      },
      {
        test: {
          name: "docker",
          include: ["test/**/*.docker.test.ts"],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/**/*.e2e.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
