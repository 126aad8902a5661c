import { describe, expect, it } from "vitest";
import { createModel } from "../../models/index.ts";
import { imageInput, initialize, traceLogits, traceModule } from "../../models/trace.ts";
import { adamw } from "../../optim/adamw.ts";
import { initialState, type StepOptions, trainStep } from "../../train/step.ts";
import { evaluate } from "../evaluate.ts";
import { countMacs } from "../macs.ts";
import { operators, type Program, program } from "../program.ts";
import { input } from "../tensor.ts";
import { type NdArray, sizeOf, toDoubles } from "../types.ts";
import { FORWARD_PASSES, optimize, PASSES, TRAINING_FORWARD_PASSES } from "./index.ts";

const model = createModel("vit_tiny_patch16_224", {
  img_size: 8,
  patch_size: 2,
  embed_dim: 8,
  depth: 2,
  num_heads: 2,
  num_classes: 3,
  drop_path_rate: 0.3,
});
const BATCH = 4;
const options: StepOptions = {
  batch: BATCH,
  optimizer: adamw(),
  weightDecay: 0.1,
  clipGrad: 0.5,
  smoothing: 0.1,
  pixels: "float32",
};

const wave = (shape: readonly number[], step: number): NdArray => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * step)),
});

const feeds = new Map<string, NdArray>([
  ["image", wave([BATCH, 3, 8, 8], 0.37)],
  ["target", { shape: [BATCH, 3], data: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0) }],
  ["lr", { shape: [], data: Float64Array.of(1e-3) }],
  ...[...initialState(model, initialize(model, 1), options)].map(
    ([name, t]) => [name, { shape: t.shape, data: toDoubles(t.data) }] as const,
  ),
]);

/** Everything a step gives, in doubles. */
const results = ({ outputs }: Program): Map<string, Float64Array> => {
  const values = evaluate([...outputs.values()], feeds);
  return new Map([...outputs.keys()].map((name, i) => [name, values[i].data]));
};

const FORWARD = Object.keys({ ...FORWARD_PASSES, ...TRAINING_FORWARD_PASSES });
const plain = trainStep(model, { ...options, without: FORWARD });
const expected = results(plain);

function expectSame(actual: ReadonlyMap<string, Float64Array>): void {
  expect([...actual.keys()]).toEqual([...expected.keys()]);
  for (const [name, values] of expected)
    values.forEach((v, i) => {
      expect(Math.abs((actual.get(name) as Float64Array)[i] - v), `${name}[${i}]`).toBeLessThan(
        1e-9 * Math.max(1, Math.abs(v)),
      );
    });
}

const count = (program: Program, op: string): number => operators(program).filter((n) => n.op === op).length;

describe("a pass changes no result of a training step", () => {
  it.each(Object.entries(PASSES))("%s alone", (_, pass) => {
    expectSame(results(pass(plain)));
  });

  it.each(FORWARD)("%s alone, before gradients are taken", (name) => {
    expectSame(results(trainStep(model, { ...options, without: FORWARD.filter((other) => other !== name) })));
  });

  it("updates-together alone, where states are written over", () => {
    expectSame(results(PASSES["updates-together"](plain, { inPlace: true })));
  });

  it("all of them", () => {
    expectSame(results(optimize(trainStep(model, options))));
  });
});

describe("a pass does what it is for", () => {
  it("drop-dead-tokens runs the last block's MLP on the class token alone", () => {
    const image = imageInput(model, 1);
    const all = traceModule(model.forward, image, { training: false, source: "inputs" });
    const narrowed = traceLogits(model, image, { training: false, source: "inputs" });
    const saved = countMacs([all.output]) - countMacs([narrowed.output]);
    // 16 of 17 tokens: q and proj (2·D²), MLP (8·D²); and the scores and sums of their queries (2·L·D)
    expect(saved).toBe(16 * (10 * 8 * 8 + 2 * 17 * 8));
    expect(narrowed.output.shape).toEqual([1, 3]);
  });

  it("common-subexpressions shares the erf of GELU with its gradient", () => {
    const before = PASSES.decompose(plain);
    expect(count(before, "Erf")).toBe(2 * count(PASSES["common-subexpressions"](before), "Erf"));
  });

  it("sink-scales ends scalar factors in Gemm", () => {
    const before = PASSES["common-subexpressions"](PASSES.decompose(plain));
    const products = (p: Program) =>
      operators(p).filter((n) => n.op === "Mul" && (n.outputs[0].size ?? 0) >= BATCH * 32).length;
    // The halves of GELU and of its gradient, in each of two blocks.
    expect(products(before) - products(PASSES["sink-scales"](before))).toBeGreaterThanOrEqual(4);
  });

  it("softmax-delta leaves no sum over keys", () => {
    const sums = (p: Program) =>
      operators(p).filter((n) => n.op === "ReduceSum" && n.inputs[0]?.shape.join() === `${BATCH},2,17,17`).length;
    expect([sums(plain), sums(PASSES["softmax-delta"](plain))]).toEqual([2, 0]);
  });

  it("sums-as-products turns bias gradients into products", () => {
    expect(count(PASSES["sums-as-products"](plain), "ReduceSum")).toBeLessThan(count(plain, "ReduceSum"));
  });

  it("scalars-of-full-rank gives scalars the rank of pointwise weights, once each", () => {
    const [a, s] = [input("a", "float32", [4, 2, 1, 1]), input("s", "float32", [])];
    const update = program("update", new Map([["y", a.mul(s).add(s).sub(0.5)]]));
    const widened = operators(PASSES["scalars-of-full-rank"](update));
    const ranks = widened.flatMap(({ op, inputs }) => (op === "Reshape" ? [] : inputs.map((t) => t?.rank)));
    expect(new Set(ranks)).toEqual(new Set([4]));
    expect(widened.filter(({ op }) => op === "Reshape")).toHaveLength(2);
    const square = program("y", new Map([["y", input("b", "float32", [4, 2]).mul(s)]]));
    expect(operators(PASSES["scalars-of-full-rank"](square))).toEqual(operators(square));
  });
});
