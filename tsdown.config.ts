import { defineConfig } from "tsdown";

// Unbundled: every source file keeps its place in dist, so worker files resolve beside their callers.
export default defineConfig({
  entry: ["src/**/*.ts", "!src/**/*.test.ts", "!src/**/test-*.ts", "!src/**/faulty-*.ts"],
  unbundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: true,
  clean: true,
  fixedExtension: false,
  external: [/^node:/, "worker_threads"],
});
