import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant, input, type Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { applyOptimizer, momentName, type TrainedParameter } from "../train/update.ts";
import { type ClipMode, globalNorm } from "./clip.ts";
import { createOptimizer } from "./index.ts";
import "../ops/index.ts";

/** Made by bench/python/recipe_expectations.py, which has the problem's formulas too. */
interface Expected {
  shapes: Record<string, number[]>;
  steps: number;
  runs: {
    opt: string;
    lr: number;
    weight_decay: number;
    momentum?: number;
    eps?: number;
    betas?: [number, number];
    clip_mode?: ClipMode;
    clip_grad?: number;
    end: Record<string, number[]>;
  }[];
}
const { shapes, steps, runs } = JSON.parse(
  readFileSync(new URL("./optimizers.json", import.meta.url), "utf8"),
) as Expected;

const names = Object.keys(shapes);
const filled = (shape: Shape, f: (i: number) => number): NdArray => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => f(i)),
});

const parameters = names.map(
  (name): TrainedParameter => ({
    name,
    shape: shapes[name],
    slot: "parameter",
    dtype: "float32",
    init: () => new Float32Array(),
    decay: name !== "bias",
    hidden: true,
    below: 0,
    classifier: false,
  }),
);

/** sin(1.7 i + 0.9 t² + k) + w / 2. */
const gradient = (w: Tensor, k: number, t: number): Tensor => {
  const wave = filled(w.shape, (i) => Math.sin(1.7 * i + 0.9 * t * t + k));
  return constant(wave.data, w.shape).add(w.mul(0.5));
};

/** The weights after all steps, in doubles. */
function trajectory({ opt, lr, weight_decay, momentum, eps, betas, clip_mode, clip_grad }: Expected["runs"][number]) {
  const optimizer = createOptimizer(opt, { momentum, epsilon: eps, betas });
  let state = new Map(names.map((name, k) => [name, filled(shapes[name], (i) => Math.cos(0.8 * i + k))]));
  for (const name of Object.keys(optimizer.scalars))
    state.set(
      name,
      filled([], () => 0),
    );
  for (const p of parameters)
    for (const [moment, shape] of Object.entries(optimizer.moments(p)))
      state.set(
        momentName(moment, p.name),
        filled(shape, () => 0),
      );
  for (let t = 0; t < steps; t++) {
    const slots = new Map(names.map((name) => [name, input(name, "float32", shapes[name])]));
    const gradients = [...slots.values()].map((w, k) => gradient(w, k, t));
    const next = new Map<string, Tensor>();
    applyOptimizer(
      { optimizer, weightDecay: weight_decay, clipGrad: clip_grad, clipMode: clip_mode },
      parameters,
      slots,
      gradients,
      next,
      { lr: constant(lr), norm: globalNorm(gradients) },
    );
    const values = evaluate([...next.values()], state);
    state = new Map([...next.keys()].map((name, i) => [name, values[i]]));
  }
  return state;
}

describe("optimizers end where timm's and PyTorch's do, in doubles", () => {
  it.each(runs.map(({ end: _, ...run }, i) => [JSON.stringify(run), runs[i]] as const))("%s", (_, run) => {
    const state = trajectory(run);
    for (const [name, expected] of Object.entries(run.end)) {
      const got = [...(state.get(name) as NdArray).data].slice(0, expected.length);
      expected.forEach((v, i) => {
        expect(got[i], `${name}[${i}]`).toBeCloseTo(v, 8);
      });
    }
  });
});
