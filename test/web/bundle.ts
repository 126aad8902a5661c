import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, defaultClientConditions } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Builds a module of the tests as a page of its own, FOLDER/index.html, with the runtime's files in FOLDER/ort. It may import
 * "given", the text of a TypeScript module.
 */
export async function bundlePage(entry: string, folder: string, given = ""): Promise<void> {
  await build({
    ...{ root: at("."), base: "./", configFile: false, logLevel: "silent", publicDir: false },
    resolve: {
      conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions],
      alias: { "tesserae/web": at("../../src/web/index.ts") },
    },
    build: {
      ...{ outDir: folder, emptyOutDir: true, target: "es2022", minify: false, modulePreload: { polyfill: false } },
      rolldownOptions: { input: join(at("."), "index.html") },
    },
    worker: { format: "es" },
    plugins: [
      {
        name: "given",
        resolveId: (id) => (id === "given" ? "\0given" : undefined),
        load: (id) => (id === "\0given" ? { code: given, moduleType: "ts" } : undefined),
      },
      {
        name: "entry",
        transformIndexHtml: {
          order: "pre",
          handler: () => [{ tag: "script", attrs: { type: "module", src: entry }, injectTo: "body" }],
        },
      },
    ],
  });
  await copyRuntime(join(folder, "ort"));
}

async function copyRuntime(folder: string): Promise<void> {
  const from = dirname(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm"));
  await mkdir(folder, { recursive: true });
  for (const name of ["ort-wasm-simd-threaded", "ort-wasm-simd-threaded.asyncify"])
    for (const extension of ["mjs", "wasm"])
      await copyFile(join(from, `${name}.${extension}`), join(folder, `${name}.${extension}`));
}
