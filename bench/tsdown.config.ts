import { fileURLToPath } from "node:url";
import { defineConfig } from "tsdown";

// The same compilation as the package's, in a folder of its own, so that a build beside a running bench disturbs nothing.
export default defineConfig({
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  // And all they import: a source that nothing measured uses cannot stop the bench.
  entry: ["src/node/*-worker.ts", "bench/*.ts", "!**/*.test.ts", "!bench/tsdown.config.ts"],
  outDir: "bench/dist",
  root: ".",
  unbundle: true,
  format: "esm",
  platform: "neutral",
  target: "es2022",
  dts: false,
  clean: false,
  fixedExtension: false,
  external: [/^node:/, "worker_threads"],
});
