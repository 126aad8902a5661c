import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { keyed } from "../src/data/random.ts";
import type { TensorData } from "../src/graph/types.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { adamw } from "../src/optim/adamw.ts";
import type { Backend, Tensors } from "../src/runtime/backend.ts";
import { GATHERED, initialState, type StepOptions } from "../src/train/step.ts";
import { createStepper, type StepData, type Teacher } from "../src/train/stepper.ts";

const CLASSES = 3;
const SIDE = 8;
/** Batch norm, whose running statistics every batch moves. */
const model = createModel("convmixer", {
  img_size: SIDE,
  dim: 8,
  depth: 2,
  kernel_size: 3,
  patch_size: 2,
  num_classes: CLASSES,
});
const weights = initialize(model, 1);

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ device: "cpu", threads: 1 });
});
afterAll(() => backend.dispose());

const shared = { optimizer: adamw(), emaDecay: 0.9, clipGrad: 1, weightDecay: 0.05, seed: 5 } as const;
const plain: StepOptions = { ...shared, batch: 4 };
const accumulating: StepOptions = { ...shared, batch: 4, accumulate: 3 };
const distilled = { type: "soft", alpha: 0.5, tau: 1 } as const;

/** Data of an update of `batches` batches of 4. */
const dataOf = (batches: number, seed: number, lr = 0.01): StepData => {
  const n = 4 * batches;
  const images = Uint8Array.from({ length: n * 3 * SIDE * SIDE }, (_, i) => keyed(seed, i).int(256));
  const targets = Float32Array.from({ length: n * CLASSES }, (_, i) => Number(i % CLASSES === i % 2));
  return { images, targets, lr };
};

/** Answers with NaN in the given calls, counted from 0. */
const broken = (...calls: readonly number[]): Teacher => {
  let call = 0;
  return {
    logits: async () => {
      const value = calls.includes(call++) ? Number.NaN : 0.5;
      return { dtype: "float32", shape: [4, CLASSES], data: new Float32Array(4 * CLASSES).fill(value) };
    },
  };
};

/** All that a checkpoint holds. */
const kept = (tensors: Tensors): Map<string, TensorData> =>
  new Map([...tensors].filter(([name]) => !name.startsWith(GATHERED)));

async function start(options: StepOptions, teacher?: Teacher, from: Tensors = weights) {
  const stepper = await createStepper(model, backend, options, teacher);
  const state = await backend.createState(initialState(model, from, options));
  return {
    stepper,
    state,
    read: async () => kept(await state.read()),
    close: () => Promise.all([stepper.dispose(), state.dispose()]),
  };
}

describe("a step that is not finite", () => {
  const cases: [string, StepOptions, number[]][] = [
    ["in one batch", plain, [1]],
    ["in the first of three batches", accumulating, [3]],
    ["in the second of three batches", accumulating, [4]],
    ["in the last of three batches", accumulating, [5]],
  ];

  it.each(cases)("%s leaves weights, moments, averages, counters and running statistics alone", async (_, o, calls) => {
    const options = { ...o, distillation: distilled };
    const batches = o.accumulate ?? 1;
    const run = await start(options, broken(...calls));
    expect((await run.stepper.step(run.state, dataOf(batches, 1))).finite).toBe(true);
    const before = await run.read();
    expect((await run.stepper.step(run.state, dataOf(batches, 2))).finite).toBe(false);
    expect(await run.read()).toEqual(before);
    const after = await run.stepper.step(run.state, dataOf(batches, 3));

    const other = await start(options, broken());
    await other.stepper.step(other.state, dataOf(batches, 1));
    expect(await other.stepper.step(other.state, dataOf(batches, 3))).toEqual(after);
    expect(await run.read()).toEqual(await other.read());
    await Promise.all([run.close(), other.close()]);
  });

  it.each([
    ["plain", plain],
    ["accumulating", accumulating],
  ])("is one whose statistics overflow while its loss does not (%s)", async (_, options) => {
    const huge = new Map(weights);
    const stem = weights.get("stem.0.weight") as TensorData;
    huge.set("stem.0.weight", { ...stem, data: (stem.data as Float32Array).map((v) => v * 1e25) });
    const run = await start({ ...options, clipGrad: undefined }, undefined, huge);
    const before = await run.read();
    const outcome = await run.stepper.step(run.state, dataOf(options.accumulate ?? 1, 1));
    expect(Number.isFinite(outcome.loss)).toBe(true);
    expect(outcome.finite).toBe(false);
    expect(await run.read()).toEqual(before);
    await run.close();
  });
});

it("running statistics follow every batch of an update, one after another", async () => {
  const frozen = { ...shared, weightDecay: 0, batch: 4 };
  const whole = await start({ ...frozen, accumulate: 3 });
  const parts = await start(frozen);
  const data = dataOf(3, 1, 0);
  for (let i = 0; i < 2; i++) await whole.stepper.step(whole.state, data);
  const [pixels, targets] = [data.images.length / 3, data.targets.length / 3];
  for (let k = 0; k < 6; k++) {
    const at = k % 3;
    await parts.stepper.step(parts.state, {
      images: data.images.slice(at * pixels, (at + 1) * pixels),
      targets: data.targets.slice(at * targets, (at + 1) * targets),
      lr: 0,
    });
  }
  const names = model.slots.filter(({ slot }) => slot === "buffer").map(({ name }) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(await whole.state.read(names)).toEqual(await parts.state.read(names));
  await Promise.all([whole.close(), parts.close()]);
});
