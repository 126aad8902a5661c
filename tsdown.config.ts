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
  plugins: [
    {
      // Bundlers know a worker by `new Worker(new URL("./x.ts", import.meta.url))`: in dist it is x.js.
      name: "worker-urls",
      transform: (code) =>
        code.includes("new Worker(") ? code.replace(/(new URL\("\.\/[\w-]+)\.ts"/g, '$1.js"') : undefined,
    },
  ],
  external: [/^node:/, "worker_threads"],
});
