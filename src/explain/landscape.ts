import { keyed } from "../data/random.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import type { Weights } from "../models/trace.ts";
import { toFloat32 } from "../weights/host-tensor.ts";

/** A step for each trained tensor of two or more axes. */
export type Direction = ReadonlyMap<string, Float32Array>;

/**
 * A drawn direction whose filters are as long as the model's: d_i ← d_i · |w_i| / |d_i| for each filter i, a row of the first axis
 * (Li et al. 2018, Visualizing the Loss Landscape of Neural Nets, section 4). Biases, norms and running statistics stay: their
 * direction is 0, as the paper's code has it.
 */
export function filterNormalised(model: Model, weights: Weights, seed: number, number: number): Direction {
  const direction = new Map<string, Float32Array>();
  for (const { name, slot, shape } of model.slots) {
    if (slot !== "parameter" || shape.length < 2) continue;
    const own = toFloat32(weights.get(name) as TensorData);
    const random = keyed(seed, "landscape", number, name);
    const step = Float32Array.from(own, () => random.normal());
    const size = own.length / shape[0];
    for (let start = 0; start < own.length; start += size) {
      const [w, d] = [own, step].map((v) => norm(v.subarray(start, start + size)));
      for (let i = start; i < start + size; i++) step[i] *= d > 0 ? w / d : 0;
    }
    direction.set(name, step);
  }
  return direction;
}

const norm = (values: Float32Array): number => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));

/** Weights moved by Σ amount · direction. What no direction moves is left out. */
export function movedWeights(
  weights: Weights,
  steps: readonly (readonly [amount: number, direction: Direction])[],
): Map<string, TensorData> {
  const out = new Map<string, TensorData>();
  for (const name of new Set(steps.flatMap(([, d]) => [...d.keys()]))) {
    const own = weights.get(name) as TensorData;
    const data = toFloat32(own).slice();
    for (const [amount, direction] of steps) {
      const step = direction.get(name);
      if (step && amount !== 0) for (let i = 0; i < data.length; i++) data[i] += amount * step[i];
    }
    out.set(name, { dtype: "float32", shape: own.shape, data });
  }
  return out;
}

/** Mean cross-entropy of rows of logits. */
export function crossEntropy(rows: readonly ArrayLike<number>[], labels: readonly number[]): number {
  const losses = rows.map((row, i) => {
    const most = Array.from(row).reduce((a, b) => Math.max(a, b), -Infinity);
    return most + Math.log(Array.from(row).reduce((sum, v) => sum + Math.exp(v - most), 0)) - row[labels[i]];
  });
  return losses.reduce((a, b) => a + b, 0) / losses.length;
}
