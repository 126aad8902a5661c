import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "studio/src/**/*.test.ts", "test/**/*.test.ts", "bench/*.test.ts"],
    exclude: ["**/node_modules/**", "test/slow/**"],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    pool: "forks",
    maxWorkers: 2,
    env: { TESSERAE_CACHE: resolve("node_modules/.cache/tesserae") },
  },
});
