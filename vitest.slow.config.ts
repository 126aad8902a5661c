import { defineConfig } from "vitest/config";

/** Checks that take tens of minutes or many gigabytes; `npm test` leaves them out. */
export default defineConfig({
  test: {
    include: ["test/slow/**/*.slow.test.ts"],
    testTimeout: 1_800_000,
    pool: "forks",
    maxWorkers: 1,
  },
});
