import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { pageFolder } from "../src/node/studio/assets.ts";
import { writeSynth } from "../src/node/synth.ts";
import { train } from "../src/node/train.ts";

/** Settings of models so small that a run takes about a second. */
const TINY = { imgSize: 16, crop: "pad", batchSize: 8, lr: 2e-3, threads: 1, workers: 0, epochs: 2 } as const;

/** Draws images and trains a ViT and a ConvMixer on them: runs/vit and runs/mixer beside shapes/ in `folder`. */
export async function trainedRuns(folder: string): Promise<{ data: string; runs: string }> {
  const [data, runs] = [join(folder, "shapes"), join(folder, "runs")];
  await writeSynth(data, { count: 64, seed: 3, size: 24 });
  await train({
    ...TINY,
    ...{ data, output: join(runs, "vit"), model: "vit_tiny_patch16_224" },
    modelOptions: { patch_size: 4, embed_dim: 16, depth: 2, num_heads: 2 },
  });
  await train({
    ...TINY,
    ...{ data, output: join(runs, "mixer"), model: "convmixer", epochs: 1 },
    modelOptions: { dim: 8, depth: 1, kernel_size: 3, patch_size: 4 },
  });
  return { data, runs };
}

/** Builds the studio's page where it is not built yet. */
export function buildStudioPage(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  if (!existsSync(join(pageFolder(), "index.html")))
    execFileSync("npx", ["vite", "build", "studio", "--logLevel", "error"], { cwd: root });
}
