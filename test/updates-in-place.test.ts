import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { OVER } from "../src/graph/program.ts";
import { sizeOf, type TensorData } from "../src/graph/types.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { createOptimizer, optimizerNames } from "../src/optim/index.ts";
import type { Backend, Tensors } from "../src/runtime/backend.ts";
import { gatheredName, initialState, type StepOptions, updateStep } from "../src/train/step.ts";

/** A matrix of 736 x 736 is updated in chunks; the others in one go. */
const model = createModel("mlp", { img_size: 8, embed_dim: 736, depth: 2, num_classes: 4 });
const weights = initialize(model, 1);

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ device: "cpu", threads: 2 });
});
afterAll(() => backend.dispose());

/** The state with gradients in it: of ones that are finite, or not. */
function stateBefore(options: StepOptions, finite: boolean): Map<string, TensorData> {
  const state = initialState(model, weights, options);
  for (const { name, shape } of model.slots) {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, i) => keyed(sizeOf(shape), i).uniform() - 0.5);
    if (!finite) data[data.length - 1] = Number.NaN;
    state.set(gatheredName(name), { dtype: "float32", shape, data });
  }
  return state;
}

/** The state after two updates, and the names of the outputs. */
async function updated(
  options: StepOptions,
  inPlace: boolean,
  finite = true,
): Promise<{ end: Tensors; outputs: string[] }> {
  const program = optimize(updateStep(model, options), { ...backend.target, inPlace });
  const session = await backend.load(encodeModel(program), { optimization: "extended", memoryPlan: false });
  const state = await backend.createState(stateBefore(options, finite));
  const lr = { dtype: "float32", shape: [], data: Float32Array.of(0.01) } as const;
  for (let i = 0; i < 2; i++) await session.run(new Map([["lr", lr]]), { state, commit: "finite" });
  const end = await state.read();
  await session.dispose();
  await state.dispose();
  return { end, outputs: [...program.outputs.keys()] };
}

const differing = (a: Tensors, b: Tensors): string[] =>
  [...a.keys()].filter((name) => {
    const [x, y] = [a.get(name), b.get(name)].map((t) => Buffer.from((t as TensorData).data.buffer));
    return !x.equals(y);
  });

const optionsOf = (name: string, more: Partial<StepOptions> = {}): StepOptions => ({
  batch: 1,
  accumulate: 2,
  optimizer: createOptimizer(name),
  weightDecay: 0.05,
  clipGrad: 1,
  ...more,
});

const expectSameBits = async (options: StepOptions) => {
  const [once, twice] = [await updated(options, true), await updated(options, false)];
  expect(differing(once.end, twice.end)).toEqual([]);
  expect(differing(once.end, stateBefore(options, true))).toContain(model.slots[0].name);
  expect(twice.outputs.filter((o) => o.startsWith(OVER))).toEqual([]);
  // Weights are always written over what they were.
  const over = once.outputs.filter((o) => o.startsWith(OVER)).map((o) => o.slice(OVER.length));
  expect(over).toEqual(expect.arrayContaining(model.slots.map((s) => s.name)));
};

describe.each(optimizerNames)("an update by %s", (name) => {
  it("gives the same bits in place as in a second copy, averages too", () =>
    expectSameBits(optionsOf(name, { emaDecay: 0.9, emaWarmupPower: 0.7 })));

  it("that is not finite leaves every bit as it was", async () => {
    const options = optionsOf(name, { emaDecay: 0.9 });
    const { end } = await updated(options, true, false);
    expect(differing(end, stateBefore(options, false))).toEqual([]);
  });
});

it("an update with adaptive clipping, which reads the weights, gives the same bits too", () =>
  expectSameBits(optionsOf("adamw", { clipMode: "agc" })));

it("a moment that is read after its next value may be there keeps its second copy: Lion's sign is of both", async () => {
  const { outputs } = await updated(optionsOf("lion"), true);
  expect(outputs.filter((o) => o.startsWith("next:exp_avg/")).length).toBeGreaterThan(0);
});
