import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { operators, type Program } from "../src/graph/program.ts";
import { toDoubles } from "../src/graph/types.ts";
import { nodesOf } from "../src/graph/walk.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { sgd } from "../src/optim/sgd.ts";
import type { Backend, Tensors } from "../src/runtime/backend.ts";
import { initialState, type StepOptions, trainStep } from "../src/train/step.ts";
import { createStepper } from "../src/train/stepper.ts";

const CLASSES = 3;
const BATCH = 4;
const VIT = { img_size: 32, patch_size: 4, embed_dim: 24, depth: 4, num_heads: 2, num_classes: CLASSES };
/** Dropout in blocks and before the head, drop path: noise that the second computation must draw again. */
const NOISY = { ...VIT, drop_rate: 0.2, drop_path_rate: 0.3 };

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ device: "cpu", threads: 1 });
});
afterAll(() => backend.dispose());

const optionsOf = (checkpointing: boolean, more: Partial<StepOptions> = {}): StepOptions => ({
  batch: BATCH,
  optimizer: sgd(),
  clipGrad: 1,
  weightDecay: 0.1,
  emaDecay: 0.9,
  seed: 3,
  checkpointing,
  ...more,
});

/** Losses, gradient norms and the state after three steps. */
async function train(name: string, model: ModelOptions, options: StepOptions) {
  const built = createModel(name, model);
  const images = options.batch * (options.accumulate ?? 1);
  const [channels, height, width] = built.inputShape;
  const stepper = await createStepper(built, backend, options);
  const state = await backend.createState(initialState(built, initialize(built, 1), options));
  const outcomes = [];
  for (let i = 0; i < 3; i++) {
    const pixels = Uint8Array.from({ length: images * channels * height * width }, (_, j) => keyed(i, j).int(256));
    const targets = Float32Array.from({ length: images * CLASSES }, (_, j) => Number(j % 4 === 0));
    outcomes.push(await stepper.step(state, { images: pixels, targets, lr: 0.05 }));
  }
  const end = await state.read();
  await Promise.all([stepper.dispose(), state.dispose()]);
  return { outcomes, end };
}

function expectSame(a: Tensors, b: Tensors): void {
  expect([...a.keys()]).toEqual([...b.keys()]);
  const furthest = [...a].map(([name, { data }]) => {
    const [x, y] = [toDoubles(data), toDoubles(b.get(name)?.data as typeof data)];
    return x.reduce((most, v, i) => Math.max(most, Math.abs(v - y[i])), 0);
  });
  expect(Math.max(...furthest)).toBeLessThan(1e-5);
}

describe("gradient checkpointing", () => {
  it.each([
    ["vit_tiny_patch16_224", NOISY, {}],
    ["vit_tiny_patch16_224", NOISY, { accumulate: 2 }],
    ["vit_tiny_patch16_224", VIT, { frozen: new Set(["cls_token", "pos_embed", "blocks.0.attn.qkv.weight"]) }],
    ["convmixer", { dim: 16, depth: 4, kernel_size: 3, patch_size: 4, img_size: 32, num_classes: CLASSES }, {}],
    [
      "swin_tiny_patch4_window7_224",
      {
        img_size: 32,
        patch_size: 2,
        window_size: 4,
        embed_dim: 12,
        depths: [2, 2, 2, 2],
        num_heads: [1, 2, 3, 4],
        num_classes: CLASSES,
      },
      {},
    ],
  ] as const)("of %s %o %o gives what a plain step gives", async (name, model, more) => {
    const plain = await train(name, model, optionsOf(false, more));
    const twice = await train(name, model, optionsOf(true, more));
    plain.outcomes.forEach(({ loss, gradNorm }, i) => {
      expect(twice.outcomes[i].finite).toBe(true);
      expect(twice.outcomes[i].loss).toBeCloseTo(loss, 5);
      expect(twice.outcomes[i].gradNorm / gradNorm).toBeCloseTo(1, 4);
    });
    expectSame(plain.end, twice.end);
  });

  it("computes blocks again only after the gradients of what follows them, one part after another", () => {
    const model = createModel("vit_tiny_patch16_224", VIT);
    const count = (program: Program, op: string) => operators(program).filter((n) => n.op === op).length;
    const [plain, twice] = [false, true].map((on) => trainStep(model, optionsOf(on)));
    expect(count(twice, "Softmax")).toBeGreaterThan(count(plain, "Softmax"));
    const depth = VIT.depth;
    expect(count(optimize(twice), "Softmax")).toBeLessThan(2 * depth + 1); // the passes keep no third one
    const zeros = operators(twice).filter((n) => n.op === "IsNaN");
    expect(zeros.length).toBeGreaterThan(1);
    zeros.forEach((zero, i) => {
      const before = nodesOf(zero.outputs);
      expect(before.filter((n) => n.op === "IsNaN")).toHaveLength(i + 1);
      expect(before.some((n) => n.op === "LogSoftmax")).toBe(true);
    });
  });

  it("is refused where it saves next to nothing", () => {
    const model = createModel("vit_tiny_patch16_224", { ...VIT, depth: 1 });
    expect(() => trainStep(model, optionsOf(true))).toThrow(/would keep [\d.]+ of the [\d.]+ MiB/);
  });
});
