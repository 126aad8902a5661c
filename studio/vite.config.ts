import { copyFile, mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig, type Plugin } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Puts onnxruntime-web's files for WebAssembly beside the page: only exported folders take them. */
const runtimeFiles = (): Plugin => ({
  name: "runtime-files",
  closeBundle: async () => {
    const name = "ort-wasm-simd-threaded";
    const from = dirname(createRequire(import.meta.url).resolve(`onnxruntime-web/${name}.wasm`));
    const to = at("../dist/ort");
    await mkdir(to, { recursive: true });
    for (const file of [`${name}.mjs`, `${name}.wasm`]) await copyFile(join(from, file), join(to, file));
  },
});

// Two pages: index.html is served by `tesserae studio`, static.html lies beside site.json in an exported folder.
// Addresses are relative, so that the folder works under any path.
export default defineConfig({
  base: "./",
  build: {
    outDir: at("../dist/page"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: { index: at("index.html"), static: at("static.html") } },
  },
  // onnxruntime-web's own files stay as they are: they are told where they lie.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", ...defaultClientConditions] },
  worker: { format: "es" },
  plugins: [runtimeFiles()],
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
