import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-node";
import { grad } from "../src/autodiff/grad.ts";
import { decodeProto, encodeModel } from "../src/graph/onnx.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { program } from "../src/graph/program.ts";
import { input, type Tensor } from "../src/graph/tensor.ts";
import type { TensorData } from "../src/graph/types.ts";
import type { Model } from "../src/models/model.ts";
import { specOf } from "../src/models/spec.ts";
import { imageInput, traceLogits, type Weights } from "../src/models/trace.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { exportOnnx } from "../src/train/export.ts";
import { crossEntropy, oneHot } from "../src/train/loss.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";

export type Tensors = ReadonlyMap<string, TensorData>;
export const readReference = async (path: string): Promise<Tensors> =>
  readSafetensors(new Uint8Array(await readFile(path)));

export const floats = (t: TensorData | undefined): Float32Array => t?.data as Float32Array;

/** Largest difference over the largest magnitude. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let [worst, scale] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (!(Math.abs(a[i] - b[i]) <= worst)) worst = Math.abs(a[i] - b[i]);
    scale = Math.max(scale, Math.abs(b[i]));
  }
  return worst / Math.max(scale, 1e-12);
}

/**
 * The worst difference of gradients, each against its own largest value; what is zero but for rounding (a bias before a
 * norm) against a thousandth of the largest of all.
 */
export function worstGradient(pairs: readonly { name: string; own: Float32Array; reference: Float32Array }[]) {
  const largest = (v: Float32Array): number => v.reduce((a, x) => Math.max(a, Math.abs(x)), 0);
  const scale = Math.max(...pairs.map((p) => largest(p.reference)));
  return pairs
    .map(({ name, own, reference }) => {
      const d = difference(own, reference) * largest(reference);
      return { name, difference: d / Math.max(largest(reference), 1e-3 * scale) };
    })
    .reduce((a, b) => (b.difference > a.difference ? b : a), { name: "", difference: 0 });
}

/** What onnxruntime itself computes with a file, in as many runs as its batch asks for; images are [N, C, H, W]. */
export async function runFile(bytes: Uint8Array, image: TensorData): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const info = decodeProto(bytes).graph?.input.find((v) => v.name === session.inputNames[0]);
  const shape = info?.type?.value.case === "tensorType" ? (info.type.value.value.shape?.dim ?? []) : [];
  const sizeAt = (i: number): number =>
    shape[i]?.value.case === "dimValue" ? Math.max(Number(shape[i].value.value), 0) : 0;
  const [n, c, h, w] = image.shape;
  const last = sizeAt(1) !== c && sizeAt(3) === c;
  const fixed = sizeAt(0) || n;
  const results: number[] = [];
  const size = c * h * w * fixed;
  for (let i = 0; i < n / fixed; i++) {
    const part = floats(image).slice(i * size, (i + 1) * size);
    const input = last
      ? new ort.Tensor("float32", channelsLast(part, [fixed, c, h, w]), [fixed, h, w, c])
      : new ort.Tensor("float32", part, [fixed, c, h, w]);
    const output = await session.run({ [session.inputNames[0]]: input });
    results.push(...(output[session.outputNames[0]].data as Float32Array));
  }
  await session.release();
  return Float32Array.from(results);
}

/** [N, C, H, W] to [N, H, W, C]. */
function channelsLast(data: Float32Array, [n, c, h, w]: readonly number[]): Float32Array {
  const out = new Float32Array(data.length);
  const area = h * w;
  for (let i = 0; i < n; i++)
    for (let k = 0; k < c; k++)
      for (let p = 0; p < area; p++) out[(i * area + p) * c + k] = data[(i * c + k) * area + p];
  return out;
}

/** Softmax of each row of K. */
export function softmaxRows(logits: Float32Array, k: number): Float32Array {
  const out = new Float32Array(logits.length);
  for (let at = 0; at < logits.length; at += k) {
    const row = logits.subarray(at, at + k);
    const top = row.reduce((a, v) => Math.max(a, v), Number.NEGATIVE_INFINITY);
    const sum = row.reduce((a, v) => a + Math.exp(v - top), 0);
    row.forEach((v, i) => {
      out[at + i] = Math.exp(v - top) / sum;
    });
  }
  return out;
}

/** Logits of a model in evaluation, as its export gives them: free batch, weights as constants. */
export async function runExport(
  backend: Backend,
  model: Model,
  weights: Weights,
  image: TensorData,
): Promise<Float32Array> {
  const session = await backend.load(exportOnnx(model, specOf(model, []), weights));
  const outputs = await session.run(new Map([["image", image]]));
  await session.dispose();
  return floats(outputs.get("logits"));
}

/** Gradients of the mean cross-entropy by slot name, in training mode or with the norms as in evaluation. */
export async function gradients(
  backend: Backend,
  model: Model,
  weights: Weights,
  image: TensorData,
  labels: readonly number[],
  training = true,
): Promise<Map<string, Float32Array>> {
  const { output, slots } = traceLogits(model, imageInput(model, labels.length), { training, source: "inputs" });
  const target = input("target", "float32", output.shape);
  const names = model.slots.filter((s) => s.slot === "parameter" && slots.has(s.name)).map((s) => s.name);
  const all = grad(
    crossEntropy(output, target),
    names.map((n) => slots.get(n) as Tensor),
  );
  const outputs = new Map(names.map((n, i) => [`grad:${n}`, all[i]]));
  const session = await backend.load(encodeModel(optimize(program("gradients", outputs))), {
    optimization: "extended",
  });
  const y: TensorData = { dtype: "float32", shape: target.shape, data: oneHot(labels, output.shape[1]) };
  const result = await session.run(new Map([...weights, ["image", image], ["target", y]]));
  await session.dispose();
  return new Map(names.map((n) => [n, floats(result.get(`grad:${n}`))]));
}

/** As many parameters are held against finite differences. */
const SAMPLE = 60;

/**
 * Gradients against the function itself, for files whose library is not at hand: each parameter w moves along its gradient g
 * and the loss should change by t·|g|² to each side. Gives |measured / expected - 1| of those that change
 * the loss by enough to be seen in float32.
 */
export async function againstDifferences(
  backend: Backend,
  model: Model,
  weights: Weights,
  image: TensorData,
  labels: readonly number[],
): Promise<{ name: string; difference: number }[]> {
  const { output } = traceLogits(model, imageInput(model, labels.length), { training: false, source: "inputs" });
  const target = input("target", "float32", output.shape);
  const loss = program("loss", new Map([["loss", crossEntropy(output, target)]]));
  const session = await backend.load(encodeModel(optimize(loss)), { optimization: "extended" });
  const y: TensorData = { dtype: "float32", shape: target.shape, data: oneHot(labels, output.shape[1]) };
  const lossWith = async (name: string, data: Float32Array): Promise<number> => {
    const moved = { ...(weights.get(name) as TensorData), data };
    const outputs = await session.run(new Map([...weights, [name, moved], ["image", image], ["target", y]]));
    return floats(outputs.get("loss"))[0];
  };
  const results: { name: string; difference: number }[] = [];
  const all = [...(await gradients(backend, model, weights, image, labels, false))];
  const every = Math.ceil(all.length / SAMPLE);
  for (const [name, g] of all.filter((_, i) => i % every === 0)) {
    const w = floats(weights.get(name));
    const square = (v: Float32Array): number => v.reduce((a, x) => a + x * x, 0);
    // The loss moves by 0.004 to each side, the parameter by at most a hundredth of its length.
    const t = Math.min(4e-3 / square(g), 1e-2 * Math.sqrt(square(w) / square(g)));
    const expected = t * square(g);
    if (!(expected > 4e-4)) continue;
    const slope = async (by: number): Promise<number> => {
      const [up, down] = [by, -by].map((d) => w.map((v, i) => v + d * g[i]));
      return ((await lossWith(name, up)) - (await lossWith(name, down))) / (2 * by);
    };
    // Richardson: the term of t² cancels.
    const measured = ((4 * (await slope(t)) - (await slope(2 * t))) / 3) * t;
    results.push({ name, difference: Math.abs(measured / expected - 1) });
  }
  await session.dispose();
  return results;
}

/** The transposed matrix, row-major. */
export function transposed(data: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j];
  return out;
}

/** Same values in the same order. */
const equal = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

/** own[o, ...] = factor[o] · other[o, ...] to rounding; undefined where that does not hold. */
function channelFactors(own: Float32Array, other: Float32Array, channels: number): Float32Array | undefined {
  const size = own.length / channels;
  const factors = Float32Array.from({ length: channels }, (_, o) => {
    let [dot, square] = [0, 0];
    for (let i = o * size; i < (o + 1) * size; i++) {
      dot += own[i] * other[i];
      square += other[i] ** 2;
    }
    return dot / square;
  });
  return own.every((v, i) => Math.abs(v - factors[Math.floor(i / size)] * other[i]) < 1e-5) ? factors : undefined;
}

/** A gradient in the reference's layout. With own = f · w, dL/dw = f · dL/d own. */
export function inLayoutOf(match: Match, gradient: Float32Array, shape: readonly number[]): Float32Array {
  if (match.transposed) return transposed(gradient, shape[0], shape[1]);
  const { factors } = match;
  return factors ? gradient.map((v, i) => v * factors[Math.floor((i * shape[0]) / gradient.length)]) : gradient;
}

/** A reference's parameter that holds the same values, as it is or transposed. */
export interface Match {
  readonly name: string;
  readonly transposed: boolean;
  /** own = factor · reference for each output channel: a norm folded into a kernel. */
  readonly factors?: Float32Array;
}

/** Finds each parameter among a reference's by its values alone. */
export function matchByValue(model: Model, weights: Weights, reference: Tensors): Map<string, Match> {
  const byLength = new Map<number, [string, TensorData][]>();
  for (const [name, t] of reference) {
    if (t.dtype !== "float32" || name.startsWith("grad")) continue;
    byLength.set(t.data.length, [...(byLength.get(t.data.length) ?? []), [name, t]]);
  }
  const found = new Map<string, Match>();
  for (const { name, slot, shape } of model.slots) {
    if (slot !== "parameter") continue;
    const own = floats(weights.get(name));
    for (const [key, t] of byLength.get(own.length) ?? []) {
      if (equal(own, floats(t))) found.set(name, { name: key, transposed: false });
      else if (shape.length === 2 && equal(transposed(own, shape[0], shape[1]), floats(t)))
        found.set(name, { name: key, transposed: true });
      const factors = found.has(name) || shape.length !== 4 ? undefined : channelFactors(own, floats(t), shape[0]);
      if (factors) found.set(name, { name: key, transposed: false, factors });
      if (found.has(name)) break;
    }
  }
  return found;
}
