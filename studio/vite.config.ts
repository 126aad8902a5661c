import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

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
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
});
