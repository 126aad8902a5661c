import { copyFile, cp, mkdir, rename } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { TesseraeError } from "../../errors.ts";
import type { Site } from "../../studio/site.ts";
import { pageFolder } from "./assets.ts";

/** The page that needs no server. */
const PAGE = "static.html";

/** Copies the page into a folder. Throws TesseraeError("io") where it is not built. */
export async function copyPage(folder: string): Promise<void> {
  const from = pageFolder();
  try {
    await cp(from, folder, { recursive: true, filter: (path) => path !== join(from, "index.html") });
    await rename(join(folder, PAGE), join(folder, "index.html"));
  } catch (cause) {
    throw new TesseraeError("io", "the studio's page is not built", { where: from, hint: "Run npm run build", cause });
  }
}

/** Copies onnxruntime-web's files for a device; those for WebAssembly come with this package. */
export async function copyRuntime(folder: string, device: Site["device"]): Promise<void> {
  await mkdir(folder);
  await copyBuild(join(pageFolder(), "..", "ort"), folder, "ort-wasm-simd-threaded", "Run npm run build");
  if (device === "webgpu")
    await copyBuild(installedRuntime(), folder, "ort-wasm-simd-threaded.asyncify", "Run npm install onnxruntime-web");
}

function installedRuntime(): string {
  try {
    const { resolve } = createRequire(import.meta.url);
    return dirname(resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm"));
  } catch (cause) {
    throw new TesseraeError("usage", "WebGPU in the browser needs onnxruntime-web beside this package", {
      hint: "Run npm install onnxruntime-web",
      cause,
    });
  }
}

async function copyBuild(from: string, to: string, name: string, hint: string): Promise<void> {
  for (const file of [`${name}.mjs`, `${name}.wasm`])
    await copyFile(join(from, file), join(to, file)).catch((cause) => {
      throw new TesseraeError("io", "a file of onnxruntime-web cannot be copied", {
        where: join(from, file),
        hint,
        cause,
      });
    });
}
