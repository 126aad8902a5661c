import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeModel } from "../src/graph/onnx.ts";
import { fuseElementwise } from "../src/graph/passes/fuse-elementwise.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { operators, type Program } from "../src/graph/program.ts";
import { sizeOf, type TensorData } from "../src/graph/types.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { sgd } from "../src/optim/sgd.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { initialState, trainStep } from "../src/train/step.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 2 });
});
afterAll(() => backend.dispose());

const BATCH = 8;
const CASES: [string, ModelOptions][] = [
  ["convmixer", { img_size: 16, dim: 16, depth: 2, num_classes: 5 }],
  ["efficientnet_b0", { img_size: 64, channel_multiplier: 0.5, depth_multiplier: 0.4, num_classes: 5 }],
  ["resnet18", { img_size: 64, channels: [16, 16, 32, 32], layers: [1, 1, 1, 1], num_classes: 5 }],
  [
    "pvt_v2_b0",
    { img_size: 64, depths: [1, 1, 1, 1], embed_dims: [16, 16, 32, 32], num_heads: [1, 1, 1, 1], num_classes: 5 },
  ],
];

/** Loss, norm of the gradient, and the next state of one step. */
async function results(step: Program, feeds: Map<string, TensorData>): Promise<Map<string, TensorData>> {
  const session = await backend.load(encodeModel(step), { optimization: "extended", memoryPlan: false });
  const outputs = await session.run(feeds);
  await session.dispose();
  return outputs;
}

function stepOf(name: string, options: ModelOptions): { step: Program; feeds: Map<string, TensorData> } {
  const model = createModel(name, options);
  const settings = { batch: BATCH, optimizer: sgd(), pixels: "float32" } as const;
  const step = trainStep(model, settings);
  const image = [BATCH, ...model.inputShape];
  const wave = (shape: readonly number[]): TensorData => ({
    dtype: "float32",
    shape,
    data: Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 0.37) + Math.cos(i * 0.011)),
  });
  const feeds = new Map<string, TensorData>([
    ...initialState(model, initialize(model, 3), settings),
    ["image", wave(image)],
    ["target", wave([BATCH, 5])],
    ["lr", { dtype: "float32", shape: [], data: Float32Array.of(0.1) }],
  ]);
  return { step, feeds };
}

function expectSame(actual: ReadonlyMap<string, TensorData>, expected: ReadonlyMap<string, TensorData>): void {
  // Biases that a following norm takes away again have gradients of rounding alone: the scale has a floor.
  for (const [key, { data }] of expected) {
    const scale = (data as Float32Array).reduce((m, v) => Math.max(m, Math.abs(Number(v))), 0.1);
    const worst = ((actual.get(key) as TensorData).data as Float32Array).reduce(
      (m, v, i) => Math.max(m, Math.abs(Number(v) - Number(data[i]))),
      0,
    );
    expect(worst / scale, key).toBeLessThan(5e-4);
  }
}

describe("the runtime's blocked layout", () => {
  it.each(CASES)("gives the step of %s that the plain one gives", async (name, options) => {
    // A processor without the layout has nothing to compare; x64 has it from AVX on, arm64 with NEON.
    if (process.arch === "x64" || process.arch === "arm64") expect(backend.target?.block).toBeGreaterThanOrEqual(4);
    if (!backend.target?.block) return;
    const { step, feeds } = stepOf(name, options);
    const blocked = optimize(step, { block: backend.target.block });
    expect(operators(blocked).filter(({ op }) => op === "BlockedConv").length).toBeGreaterThan(3);
    const convolutions = optimize(step, { block: backend.target.block, without: ["transposes-in-blocks"] });
    const last = operators(convolutions).filter(({ attrs }) => attrs.channels_last);
    expect(last.length > 0, "tokens go straight into blocks and out of them").toBe(name.startsWith("pvt"));
    const expected = await results(optimize(step), feeds);
    expectSame(await results(blocked, feeds), expected);
  });
});

describe("chains of elementwise operators in chunks", () => {
  it.each(CASES)("give the step of %s that plain ones give", async (name, options) => {
    const { step, feeds } = stepOf(name, options);
    // A row may fill a quarter of what counts as large: with a batch of 8 each doubling takes the next sizes in.
    const fused = [512, 1024, 2048, 4096, 8192].reduce(fuseElementwise, optimize(step));
    expect(operators(fused).filter(({ op }) => op === "Scan").length).toBeGreaterThan(5);
    expectSame(await results(fused, feeds), await results(optimize(step), feeds));
  });
});
