import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Loader } from "../src/data/loader.ts";
import { keyed } from "../src/data/random.ts";
import { evaluate } from "../src/graph/evaluate.ts";
import { constant } from "../src/graph/tensor.ts";
import { createModel } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { sgd } from "../src/optim/sgd.ts";
import type { Backend, Tensors } from "../src/runtime/backend.ts";
import type { LoadedCheckpoint } from "../src/train/checkpoint.ts";
import { type FitEvent, type FitOptions, fit } from "../src/train/fit.ts";
import { type LossOptions, lossOf } from "../src/train/loss.ts";
import { averageName, initialState, type StepOptions } from "../src/train/step.ts";
import { createStepper, type Teacher } from "../src/train/stepper.ts";

const CLASSES = 3;
const model = createModel("vit_tiny_patch16_224", {
  img_size: 16,
  patch_size: 8,
  embed_dim: 12,
  depth: 1,
  num_heads: 2,
  num_classes: CLASSES,
  drop_rate: 0.2,
  drop_path_rate: 0.2,
});
const weights = initialize(model, 1);

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ device: "cpu", threads: 1 });
});
afterAll(() => backend.dispose());

const floats = (tensors: Tensors, name: string): Float32Array => {
  const t = tensors.get(name);
  if (!t) throw new Error(`no ${name}`);
  return t.data as Float32Array;
};
const pixels = (n: number, seed = 0): Uint8Array =>
  Uint8Array.from({ length: n * 3 * 16 * 16 }, (_, i) => keyed(seed, i).int(256));
const targetsOf = (n: number): Float32Array =>
  Float32Array.from({ length: n * CLASSES }, (_, i) => Number(i % CLASSES === Math.floor(i / CLASSES) % CLASSES));

describe("gradient accumulation", () => {
  const shared: Omit<StepOptions, "batch"> = {
    optimizer: sgd(),
    clipGrad: 1,
    emaDecay: 0.9,
    seed: 5,
    weightDecay: 0.1,
  };

  async function train(options: StepOptions) {
    const stepper = await createStepper(model, backend, options);
    const state = await backend.createState(initialState(model, weights, options));
    const outcomes = [];
    for (let i = 0; i < 3; i++)
      outcomes.push(await stepper.step(state, { images: pixels(12, i), targets: targetsOf(12), lr: 0.1 }));
    const end = await state.read();
    await Promise.all([stepper.dispose(), state.dispose()]);
    return { outcomes, end };
  }

  it("takes the steps of the whole batch, noise and clipping included", async () => {
    const whole = await train({ ...shared, batch: 12 });
    const parts = await train({ ...shared, batch: 4, accumulate: 3 });
    parts.outcomes.forEach(({ loss, gradNorm, finite }, i) => {
      expect(finite).toBe(true);
      expect(loss).toBeCloseTo(whole.outcomes[i].loss, 5);
      expect(gradNorm / whole.outcomes[i].gradNorm).toBeCloseTo(1, 4);
    });
    for (const name of ["blocks.0.attn.qkv.weight", averageName("head.weight"), "cls_token"])
      floats(parts.end, name).forEach((v, i) => {
        expect(v).toBeCloseTo(floats(whole.end, name)[i], 5);
      });
  });
});

describe("weight averaging", () => {
  it("warms up: the first average is the first weights, then min(decay, 1 - (1 + t)^(-2/3))", async () => {
    const options: StepOptions = { batch: 4, optimizer: sgd(), emaDecay: 0.5, emaWarmupPower: 2 / 3 };
    const stepper = await createStepper(model, backend, options);
    const state = await backend.createState(initialState(model, weights, options));
    const name = "blocks.0.attn.qkv.weight";
    const read = async (key: string) => Number((await state.read([key])).get(key)?.data[5]);
    let expected = 0;
    for (const decay of [0, 1 - 2 ** (-2 / 3), 0.5]) {
      await stepper.step(state, { images: pixels(4), targets: targetsOf(4), lr: 0.1 });
      expected = decay * expected + (1 - decay) * (await read(name));
      expect(await read(averageName(name))).toBeCloseTo(expected, 6);
    }
    await Promise.all([stepper.dispose(), state.dispose()]);
  });
});

describe("losses", () => {
  const [logits, other, teacher] = [
    [0.3, -1.2, 2, 0.1, 0.4, -0.7],
    [1.1, 0.2, -0.4, 0.9, -2, 0.3],
    [2, 0.5, -1, 0.2, 0.1, 0.9],
  ];
  const target = [0.7, 0.3, 0, 0, 0, 1];
  const rows = (values: readonly number[]) => [values.slice(0, 3), values.slice(3)];
  const softmax = (row: readonly number[], tau = 1) => {
    const e = row.map((v) => Math.exp(v / tau));
    return e.map((v) => v / e.reduce((a, b) => a + b));
  };
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const ce = (x: readonly number[], y: readonly number[]) =>
    mean(rows(x).map((row, n) => -softmax(row).reduce((sum, p, k) => sum + rows(y)[n][k] * Math.log(p), 0)));

  const value = (options: LossOptions, distilled = false): number => {
    const tensor = (values: readonly number[]) => constant(values, [2, 3]);
    const heads = { head: tensor(logits), distillation: tensor(other) };
    const answers = { logits: tensor(logits), distilled: distilled ? heads : undefined };
    const loss = lossOf(answers, tensor(target), tensor(teacher), options);
    return Number(evaluate([loss])[0].data[0]);
  };

  it("is cross-entropy with smoothed targets", () => {
    expect(value({ smoothing: 0.1 })).toBeCloseTo(
      ce(
        logits,
        target.map((v) => 0.9 * v + 0.1 / 3),
      ),
      6,
    );
  });

  it("is binary cross-entropy with a threshold on the targets", () => {
    const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));
    const term = (x: number, y: number) => -y * Math.log(sigmoid(x)) - (1 - y) * Math.log(1 - sigmoid(x));
    const hard = target.map((v) => Number(v > 0.2));
    expect(value({ bce: {} })).toBeCloseTo(mean(logits.map((x, i) => term(x, target[i]))), 6);
    expect(value({ bce: { threshold: 0.2 } })).toBeCloseTo(mean(logits.map((x, i) => term(x, hard[i]))), 6);
    expect(value({ bce: { threshold: 0.2, sum: true } })).toBeCloseTo(
      3 * mean(logits.map((x, i) => term(x, hard[i]))),
      6,
    );
  });

  it("distils through the logits, or the distillation token, softly or hard", () => {
    const alpha = 0.3;
    const best = [1, 0, 0, 0, 0, 1];
    const kl = (student: readonly number[], tau: number) =>
      (tau ** 2 / 6) *
      rows(student)
        .flatMap((row, n) => {
          const [p, q] = [softmax(rows(teacher)[n], tau), softmax(row, tau)];
          return p.map((v, k) => v * Math.log(v / q[k]));
        })
        .reduce((a, b) => a + b);
    const base = 0.7 * ce(logits, target);
    const options = (type: "soft" | "hard", tau = 1) => ({ distillation: { type, alpha, tau } });
    expect(value(options("hard"))).toBeCloseTo(base + alpha * ce(logits, best), 6);
    expect(value(options("hard"), true)).toBeCloseTo(base + alpha * ce(other, best), 6);
    expect(value(options("soft", 2))).toBeCloseTo(base + alpha * kl(logits, 2), 6);
    expect(value(options("soft", 2), true)).toBeCloseTo(base + alpha * kl(other, 2), 6);
  });

  it("teaches the distillation token's head of a distilled model", async () => {
    const student = createModel("deit_tiny_distilled_patch16_224", {
      img_size: 16,
      patch_size: 8,
      embed_dim: 12,
      depth: 1,
      num_heads: 2,
      num_classes: CLASSES,
    });
    const options: StepOptions = {
      batch: 4,
      optimizer: sgd({ momentum: 0 }),
      distillation: { type: "hard", alpha: 1, tau: 1 },
    };
    const always: Teacher = {
      logits: async () => ({
        dtype: "float32",
        shape: [4, 3],
        data: Float32Array.of(0, 9, 0, 0, 9, 0, 0, 9, 0, 0, 9, 0),
      }),
    };
    const stepper = await createStepper(student, backend, options, always);
    const state = await backend.createState(initialState(student, initialize(student, 1), options));
    for (let i = 0; i < 3; i++) await stepper.step(state, { images: pixels(4), targets: targetsOf(4), lr: 1 });
    const end = await state.read(["head.bias", "head_dist.bias"]);
    expect([...floats(end, "head.bias")]).toEqual([0, 0, 0]); // alpha = 1: the labels teach nothing
    const [a, b, c] = floats(end, "head_dist.bias");
    expect(b).toBeGreaterThan(0.1);
    expect(Math.max(a, c)).toBeLessThan(0);
    await Promise.all([stepper.dispose(), state.dispose()]);
  });
});

describe("a run whose loss goes wrong", () => {
  const BATCHES = 30;
  const loader: Loader = {
    batchesPerEpoch: BATCHES,
    skipped: new Map(),
    close: async () => {},
    async *epoch(_, from = 0) {
      for (let i = from; i < BATCHES; i++)
        yield {
          images: pixels(4, i % 2),
          labels: Int32Array.of(0, 1, 2, 0),
          indices: Int32Array.of(0, 1, 2, 3),
          count: 4,
        };
    },
  };
  const run = async (options: Partial<FitOptions>) => {
    const events: FitEvent[] = [];
    const fitted = fit({
      model,
      backend,
      weights,
      step: { batch: 4, optimizer: sgd() },
      epochs: 1,
      schedule: () => 0.01,
      train: loader,
      onEvent: (event) => events.push(event),
      ...options,
    });
    return { result: await fitted.catch((error: Error) => error), events };
  };
  /** A teacher that says nonsense in the given calls. */
  const broken = (calls: (call: number) => boolean): Teacher => {
    let call = 0;
    return {
      logits: async () => ({
        dtype: "float32",
        shape: [4, 3],
        data: new Float32Array(12).fill(calls(call++) ? Number.NaN : 1),
      }),
    };
  };
  const taught: StepOptions = {
    batch: 4,
    optimizer: sgd(),
    distillation: { type: "soft", alpha: 0.5, tau: 1 },
  };

  it("leaves out steps that are not finite and counts them", async () => {
    const { result, events } = await run({
      step: taught,
      teacher: broken((call) => call === 3 || call === 4 || call === 9),
      maxBadSteps: 2,
    });
    expect(result).not.toBeInstanceOf(Error);
    const bad = events.filter((e) => e.type === "bad-step");
    expect(bad.map(({ step, inARow, total }) => [step, inARow, total])).toEqual([
      [4, 1, 1],
      [5, 2, 2],
      [10, 1, 3],
    ]);
    expect(events.filter((e) => e.type === "step")).toHaveLength(BATCHES - 3);
    const [epoch] = events.filter((e) => e.type === "epoch");
    expect(epoch.summary.trainLoss).toBeGreaterThan(0);
  });

  it("stops after too many in a row and names the first tensor", async () => {
    const { result } = await run({ step: taught, teacher: broken((call) => call >= 6), maxBadSteps: 2 });
    expect(String(result)).toMatch(
      /the loss is NaN at step 9 \(epoch 1\), the last of 3 such steps in a row; .*: teacher/,
    );
  });

  it("goes back to the newest checkpoint on a spike, and data and schedule go on", async () => {
    const saved: LoadedCheckpoint[] = [];
    const { result, events } = await run({
      schedule: (step) => (step === 24 ? 50 : 0.01),
      saveInterval: 10,
      save: async (state) => {
        const tensors = { model: new Map(state.model), optimizer: new Map(state.optimizer) };
        saved.push({ ...state, ...tensors, path: `${state.step}`, sequence: saved.length, warnings: [] });
        return `${state.step}`;
      },
      rollback: { factor: 2, load: async (path) => saved.find((one) => one.path === path) as LoadedCheckpoint },
    });
    expect(result).not.toBeInstanceOf(Error);
    const back = events.filter((e) => e.type === "rollback");
    expect(back.map(({ step, to }) => [step, to])).toEqual([[26, 20]]);
    const after = events.filter((e) => e.type === "step" && e.step > 26);
    expect(after).toHaveLength(BATCHES - 26);
    for (const e of after) expect(e.type === "step" && e.loss).toBeLessThan(2);
    expect(saved.map(({ step }) => step)).toEqual([10, 20, 30]);
  });
});
