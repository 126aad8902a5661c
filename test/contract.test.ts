import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grad } from "../src/autodiff/grad.ts";
import { TesseraeError } from "../src/errors.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { program } from "../src/graph/program.ts";
import { fill, input, type Tensor } from "../src/graph/tensor.ts";
import { N, type Shape, sizeOf, type TensorData } from "../src/graph/types.ts";
import { createModel, listModels, type ModelOptions } from "../src/models/index.ts";
import type { Model } from "../src/models/model.ts";
import { imageInput, initialize, traceModule, type Weights } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend, Session } from "../src/runtime/backend.ts";
import { crossEntropy, oneHot } from "../src/train/loss.ts";
import { parityTensor, parityValues } from "../src/verify/parity.ts";
import { CASES, type ContractCase } from "./contract-cases.ts";

const BATCH = 4;
const CLASSES = 6;
/** Prefix of the outputs that are gradients. */
const GRAD = "grad:";
let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 2 });
});
afterAll(() => backend.dispose());

const build = ({ model, options }: ContractCase, more: ModelOptions = {}): Model =>
  createModel(model, { ...options, num_classes: CLASSES, ...more });

const load = (outputs: ReadonlyMap<string, Tensor>): Promise<Session> =>
  backend.load(encodeModel(optimize(program("contract", outputs))), { optimization: "extended" });

/** Every tensor by the parity rule: nothing is zero, as fresh weights are in places. */
const generic = (model: Model): Map<string, TensorData> => new Map(model.slots.map((s) => [s.name, parityTensor(s)]));
const images = (shape: Shape): TensorData => parityValues("image", shape, 2);
const floats = (t: TensorData | undefined): Float32Array => t?.data as Float32Array;
const finite = (values: Float32Array): boolean => values.every(Number.isFinite);
const parameters = (model: Model) => model.slots.filter((s) => s.slot === "parameter");

/** Loss and gradients of a batch in training mode, as one program over weights. */
async function lossProgram(model: Model): Promise<(weights: Weights) => Promise<Map<string, TensorData>>> {
  const image = imageInput(model, BATCH);
  const { output, slots } = traceModule(model.forward, image, { training: true, source: "inputs" });
  const target = input("target", "float32", output.shape);
  const loss = crossEntropy(output, target);
  const names = parameters(model).map((s) => s.name);
  const gradients = grad(
    loss,
    names.map((name) => slots.get(name) as Tensor),
  );
  const session = await load(new Map([["loss", loss], ...names.map((n, i) => [GRAD + n, gradients[i]] as const)]));
  const labels = Array.from({ length: BATCH }, (_, i) => i % CLASSES);
  const fixed: [string, TensorData][] = [
    ["image", images(image.shape)],
    ["target", { dtype: "float32", shape: target.shape, data: oneHot(labels, CLASSES) }],
  ];
  return (weights) => session.run(new Map([...weights, ...fixed]));
}

/** One step of plain gradient descent, the whole gradient cut to a norm of 1. */
function descend(weights: Map<string, TensorData>, results: ReadonlyMap<string, TensorData>, lr: number): void {
  const gradients = [...results].filter(([name]) => name.startsWith(GRAD));
  const squares = gradients.map(([, g]) => floats(g).reduce((s, v) => s + v * v, 0));
  const scale = lr / Math.max(1, Math.sqrt(squares.reduce((a, b) => a + b, 0)));
  for (const [name, g] of gradients) {
    const w = weights.get(name.slice(GRAD.length)) as TensorData;
    weights.set(name.slice(GRAD.length), { ...w, data: floats(w).map((v, i) => v - scale * floats(g)[i]) });
  }
}

/** Runs f, which must work or throw one line of "usage"; the error, if it threw. */
function worksOrRefuses<T>(f: () => T): T | undefined {
  try {
    return f();
  } catch (error) {
    expect(error, `${error}`).toBeInstanceOf(TesseraeError);
    expect((error as TesseraeError).code, `${error}`).toBe("usage");
    expect((error as Error).message).not.toContain("\n");
    return undefined;
  }
}

const forwardShape = (model: Model): Shape =>
  traceModule(model.forward, imageInput(model, 2), { training: false, source: "inputs" }).output.shape;

describe.each(CASES.map((c) => [`${c.model}: ${c.covers}`, c] as const))("%s", (_, c) => {
  it("gives every parameter a finite gradient, and the loss falls along it", async () => {
    const model = build(c);
    const run = await lossProgram(model);
    const results = await run(generic(model));
    const silent = parameters(model).filter(({ name }) => {
      const g = floats(results.get(GRAD + name));
      expect(finite(g), name).toBe(true);
      return g.every((v) => v === 0);
    });
    expect(silent.map((s) => s.name)).toEqual(c.silent ?? []);

    const weights = initialize(model, 1);
    const losses: number[] = [];
    for (let step = 0; step < 6; step++) {
      const r = await run(weights);
      losses.push(floats(r.get("loss"))[0]);
      descend(weights, r, 0.05);
    }
    expect(losses.at(-1), `losses ${losses}`).toBeLessThan(losses[0] - 1e-3);
  });

  it("takes another image size, class count and channel count", async () => {
    const model = build(c, { img_size: [...c.other], num_classes: 3, in_chans: 2 });
    const { output } = traceModule(model.forward, imageInput(model, 2), { training: false, source: generic(model) });
    expect(output.shape).toEqual([2, 3]);
    const session = await load(new Map([["logits", output]]));
    const results = await session.run(new Map([["image", images([2, 2, ...c.other])]]));
    expect(finite(floats(results.get("logits")))).toBe(true);
  });

  it("takes every image size, or refuses it in one line", () => {
    const sizes = [1, 2, 5, 8, 16, 31, 32, 33, 48, 50, 64, 100];
    for (const img_size of [...sizes, [37, 41], [32, 64], [96, 40]] as const) {
      const model = worksOrRefuses(() => build(c, { img_size: img_size as number }));
      if (model) expect(forwardShape(model), `img_size ${img_size}`).toEqual([2, CLASSES]);
    }
  });

  it("exports with a free batch: rows do not depend on the batch", async () => {
    const model = build(c);
    const { output } = traceModule(model.forward, imageInput(model, N), { training: false, source: generic(model) });
    expect(output.shape).toEqual([N, CLASSES]);
    const session = await load(new Map([["logits", output]]));
    const all = images([7, ...model.inputShape]);
    const row = sizeOf(model.inputShape);
    const logits = async (n: number) => {
      const image: TensorData = { ...all, shape: [n, ...model.inputShape], data: all.data.slice(0, n * row) };
      return floats((await session.run(new Map([["image", image]]))).get("logits"));
    };
    const whole = await logits(7);
    const largest = Math.max(...whole.map(Math.abs));
    expect(finite(whole)).toBe(true);
    for (const n of [1, 3]) {
      const part = await logits(n);
      expect(part.length).toBe(n * CLASSES);
      part.forEach((v, i) => {
        expect(Math.abs(v - whole[i])).toBeLessThan(1e-5 * largest);
      });
    }
  });

  it("without classes gives features; the pyramid has the announced channels and reductions", () => {
    const model = build(c, { num_classes: 0 });
    const shape = forwardShape(model);
    expect(shape[0]).toBe(2);
    expect(shape.length).toBe(2);
    expect(model.slots.length).toBeLessThan(build(c).slots.length);

    const maps = traceModule(model.pyramid, imageInput(model, 2), { training: false, source: "inputs" }).output;
    expect(maps.length).toBe(model.featureInfo.length);
    const [, height, width] = model.inputShape;
    maps.forEach((map, i) => {
      const { num_chs, reduction } = model.featureInfo[i];
      expect(map.shape.slice(0, 2)).toEqual([2, num_chs]);
      expect(Math.abs(map.shape[2] - height / reduction)).toBeLessThan(1);
      expect(Math.abs(map.shape[3] - width / reduction)).toBeLessThan(1);
    });
  });

  it("draws noise in training only", () => {
    let drawn = 0;
    const noise = (shape: Shape): Tensor => {
      drawn++;
      return fill(0.5, shape);
    };
    const model = build(c, c.drop);
    const run = (training: boolean) =>
      traceModule(model.forward, imageInput(model, 2), { training, source: "inputs", noise }).output;
    run(false);
    expect(drawn).toBe(0);
    expect(run(true).shape).toEqual([2, CLASSES]);
    expect(drawn).toBeGreaterThan(0);
  });

  it.each([
    { nonsense: 1 },
    { img_size: 0 },
    { img_size: 12.5 },
    { img_size: "64" },
    { num_classes: -1 },
    { in_chans: 0 },
    { drop_rate: 1 },
    { drop_path_rate: -0.1 },
    { global_pool: "median" },
  ])("refuses %j in one line", (options) => {
    expect(worksOrRefuses(() => forwardShape(build(c, options as unknown as ModelOptions)))).toBeUndefined();
  });
});

it("the table of cases covers every family", () => {
  const family = (name: string) => name.replace(/^tf_/, "").match(/^[a-z]+(_v2|v\d)?/)?.[0];
  const covered = new Set(CASES.map((c) => family(c.model)));
  expect([...new Set(listModels().map(family))].filter((f) => !covered.has(f))).toEqual([]);
});
