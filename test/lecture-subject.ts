import { keyed } from "../src/data/random.ts";
import type { Picture } from "../src/explain/figure.ts";
import type { Subject } from "../src/explain/subject.ts";
import { sizeOf, type TensorData } from "../src/graph/types.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import { initialize } from "../src/models/trace.ts";
import type { Backend } from "../src/runtime/backend.ts";

export interface Example {
  readonly of: Subject;
  readonly picture: Picture;
}

/** Weights with noise on every tensor, so that no bias is 0 and no norm does nothing. */
function shaken(weights: ReadonlyMap<string, TensorData>): Map<string, TensorData> {
  return new Map(
    [...weights].map(([name, t]) => {
      if (t.dtype !== "float32") return [name, t];
      const random = keyed(9, name);
      const data = (t.data as Float32Array).map((v) => v + 0.05 * random.normal());
      return [name, { ...t, data }];
    }),
  );
}

/** A small model with weights of its own, and an image that is noise. */
export async function exampleOf(backend: Backend, name: string, options: ModelOptions): Promise<Example> {
  const model = createModel(name, options);
  const weights = shaken(initialize(model, 3));
  const [, height, width] = model.inputShape;
  const random = keyed(4, "picture");
  const input = Float32Array.from({ length: sizeOf(model.inputShape) }, () => random.normal());
  const pixels = { width, height, data: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 256) };
  const classes = Array.from({ length: model.numClasses }, (_, i) => `class ${i}`);
  return {
    of: { model, weights, classes, backend, state: await backend.createState(weights) },
    picture: { name: "a.png", pixels, input, target: 0 },
  };
}

/** A float32 weight. */
export const weight = ({ of }: Example, name: string): Float32Array => {
  const found = of.weights.get(name);
  if (!found) throw new Error(`no weight ${name}`);
  return found.data as Float32Array;
};

/** W x + b of W [out, in]. */
export function dense(example: Example, path: string, x: ArrayLike<number>): number[] {
  const [w, b] = [weight(example, `${path}.weight`), example.of.weights.get(`${path}.bias`)?.data];
  const size = x.length;
  return Array.from({ length: w.length / size }, (_, o) => {
    let sum = b ? Number(b[o]) : 0;
    for (let i = 0; i < size; i++) sum += w[o * size + i] * x[i];
    return sum;
  });
}

/** Batch norm by running statistics, of one value of a channel. */
export function batchNormed(example: Example, path: string, channel: number, value: number): number {
  const of = (name: string) => weight(example, `${path}.${name}`)[channel];
  return ((value - of("running_mean")) / Math.sqrt(of("running_var") + 1e-5)) * of("weight") + of("bias");
}

/** Layer norm of a row. */
export function layerNormed(example: Example, path: string, x: ArrayLike<number>, epsilon: number): number[] {
  const row = Array.from(x);
  const mean = row.reduce((a, b) => a + b, 0) / row.length;
  const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
  const [w, b] = [weight(example, `${path}.weight`), weight(example, `${path}.bias`)];
  return row.map((v, i) => ((v - mean) / Math.sqrt(variance + epsilon)) * w[i] + b[i]);
}
