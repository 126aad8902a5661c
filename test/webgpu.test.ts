import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { encodeModel } from "../src/graph/onnx.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend, type Device } from "../src/node/ort.ts";
import { adamw } from "../src/optim/adamw.ts";
import { oneHot } from "../src/train/loss.ts";
import { averageName, initialState, trainStep } from "../src/train/step.ts";

/** SwiftShader, a Vulkan device in software, comes with Debian's chromium. */
const DRIVER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const BATCH = 4;

const model = createModel("vit_tiny_patch16_224", {
  img_size: 16,
  patch_size: 8,
  embed_dim: 16,
  depth: 1,
  num_heads: 2,
  num_classes: 5,
  drop_rate: 0.1,
  drop_path_rate: 0.2,
});
const options = { batch: BATCH, optimizer: adamw(), weightDecay: 0.05, clipGrad: 1, emaDecay: 0.9, seed: 3 };

/** Ten steps on one batch: the losses, and a tensor of the final state. */
async function curve(device: Device): Promise<{ losses: number[]; head: Float32Array }> {
  const backend = await createOrtBackend({ device, threads: 1 });
  const session = await backend.load(encodeModel(optimize(trainStep(model, options))), { optimization: "extended" });
  const state = await backend.createState(initialState(model, initialize(model, 1), options));
  const pixels = Uint8Array.from({ length: BATCH * 3 * 16 * 16 }, (_, i) => (i * 7919) % 256);
  const feeds = new Map([
    ["image", { dtype: "uint8" as const, shape: [BATCH, 3, 16, 16], data: pixels }],
    ["target", { dtype: "float32" as const, shape: [BATCH, 5], data: oneHot([0, 1, 2, 3], 5) }],
    ["lr", { dtype: "float32" as const, shape: [], data: Float32Array.of(1e-3) }],
  ]);
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const outputs = await session.run(feeds, { state, commit: "finite" });
    losses.push(Number(outputs.get("loss")?.data[0]));
  }
  const name = averageName("head.weight");
  const head = (await state.read([name])).get(name)?.data as Float32Array;
  await state.dispose();
  await session.dispose();
  return { losses, head };
}

const present = existsSync(DRIVER);
const title = present ? "the WebGPU provider" : "the WebGPU provider (skipped: no SwiftShader, install chromium)";

describe.skipIf(!present)(title, () => {
  it("trains along the CPU's loss curve, its state on the device", { timeout: 300_000 }, async () => {
    Object.assign(process.env, { VK_ICD_FILENAMES: DRIVER, VK_DRIVER_FILES: DRIVER });
    const expected = await curve("cpu");
    const actual = await curve("webgpu");
    actual.losses.forEach((v, i) => {
      expect(Math.abs(v / expected.losses[i] - 1)).toBeLessThan(1e-4);
    });
    expect(expected.losses[9]).toBeLessThan(expected.losses[0]);
    actual.head.forEach((v, i) => {
      expect(v).toBeCloseTo(expected.head[i], 4);
    });
  });
});
