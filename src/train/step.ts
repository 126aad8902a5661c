import { grad } from "../autodiff/grad.ts";
import type { PassOptions } from "../graph/passes/index.ts";
import { type Program, program } from "../graph/program.ts";
import { constant, input, type Tensor } from "../graph/tensor.ts";
import { allocate, type DType, type Shape, sizeOf, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { traceLogits, type Weights } from "../models/trace.ts";
import type { NamedSlot } from "../nn/module.ts";
import { clipFactor, globalNorm } from "../optim/clip.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { NEXT } from "../runtime/backend.ts";
import { crossEntropy, smooth } from "./loss.ts";
import { noiseSource } from "./noise.ts";

export interface StepOptions extends PassOptions {
  /** Images of one step. */
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly weightDecay?: number;
  /** Largest norm of the whole gradient; absent: no clipping. */
  readonly clipGrad?: number;
  readonly smoothing?: number;
  /** Decay of the running average of the weights; absent: none. */
  readonly emaDecay?: number;
  /** Of dropout and drop path. */
  readonly seed?: number;
  /** "uint8" takes decoded pixels and normalises them in the program; "float32" takes images as the model does. */
  readonly pixels?: "uint8" | "float32";
}

/** Names of state tensors beside the model's own. */
export const momentName = (moment: string, parameter: string): string => `${moment}/${parameter}`;
export const averageName = (slot: string): string => `ema/${slot}`;
export const STEP = "step";

/** Pixels 0..255 [N, C, H, W] to what the model expects: (x / 255 - mean) / std. */
export function normalize(pixels: Tensor, { preprocessing: { mean, std }, inputShape: [channels] }: Model): Tensor {
  const perChannel = (f: (c: number) => number) =>
    constant(
      Array.from({ length: channels }, (_, c) => f(c % mean.length)),
      [1, channels, 1, 1],
    );
  return pixels
    .cast("float32")
    .mul(perChannel((c) => 1 / (255 * std[c])))
    .add(perChannel((c) => -mean[c] / std[c]));
}

/**
 * One training step as one program: forward, loss, gradients, clipping, optimizer, averages.
 * Inputs: image [N, C, H, W], target [N, classes], lr [], and the state. Outputs: loss [], grad_norm [],
 * finite (bool []: the step may be committed), and the next state.
 */
export function trainStep(model: Model, options: StepOptions): Program {
  const { batch, optimizer, smoothing = 0, seed = 0, pixels = "uint8" } = options;
  const image = input("image", pixels, [batch, ...model.inputShape]);
  const target = input("target", "float32", [batch, model.numClasses]);
  const lr = input("lr", "float32", []);
  const step = input(STEP, "int32", []);
  const samples = constant([...Array(batch).keys()], [batch], "int32").add(step.mul(batch));
  const traced = traceLogits(model, pixels === "uint8" ? normalize(image, model) : image, {
    training: true,
    source: "inputs",
    noise: noiseSource(seed, samples),
    without: options.without,
  });
  const loss = crossEntropy(traced.output, smooth(target, smoothing));
  const parameters = model.slots.filter((s) => s.slot === "parameter" && traced.slots.has(s.name));
  const gradients = grad(
    loss,
    parameters.map((s) => traced.slots.get(s.name) as Tensor),
  );
  const norm = globalNorm(gradients);
  const next = new Map<string, Tensor>([[STEP, step.add(1)], ...traced.updates]);
  applyOptimizer(optimizer, parameters, traced.slots, gradients, next, {
    lr,
    gradScale: options.clipGrad === undefined ? undefined : clipFactor(norm, options.clipGrad),
    weightDecay: options.weightDecay ?? 0,
  });
  if (options.emaDecay !== undefined) average(model.slots, traced.slots, next, options.emaDecay);
  const finite = loss.sub(loss).add(norm.sub(norm)).equal(0); // NaN and infinity minus themselves are NaN
  const outputs = new Map([
    ["loss", loss],
    ["grad_norm", norm],
    ["finite", finite],
  ]);
  for (const [name, t] of next) outputs.set(NEXT + name, t);
  return program("train_step", outputs, [image, target, lr]);
}

interface UpdateSettings {
  lr: Tensor;
  gradScale?: Tensor;
  weightDecay: number;
}

function applyOptimizer(
  optimizer: Optimizer,
  parameters: readonly NamedSlot[],
  slots: ReadonlyMap<string, Tensor>,
  gradients: readonly Tensor[],
  next: Map<string, Tensor>,
  settings: UpdateSettings,
): void {
  const scalars = Object.fromEntries(
    Object.entries(optimizer.scalars).map(([name, advance]) => {
      const value = advance(input(name, "float32", []));
      next.set(name, value);
      return [name, value];
    }),
  );
  parameters.forEach(({ name, shape, decay }, i) => {
    const kept = Object.entries(optimizer.moments(shape));
    const moments = Object.fromEntries(kept.map(([m, s]) => [m, input(momentName(m, name), "float32", s)]));
    const context = { ...settings, weightDecay: decay ? settings.weightDecay : 0, scalars };
    const updated = optimizer.update({ value: slots.get(name) as Tensor, moments }, gradients[i], context);
    next.set(name, updated.value);
    for (const [m, t] of Object.entries(updated.moments)) next.set(momentName(m, name), t);
  });
}

/** average' = decay · average + (1 - decay) · value, for parameters and running statistics. */
function average(
  all: readonly NamedSlot[],
  slots: ReadonlyMap<string, Tensor>,
  next: Map<string, Tensor>,
  decay: number,
): void {
  for (const { name, dtype, shape } of all) {
    const value = next.get(name) ?? slots.get(name);
    if (!value) continue;
    const old = input(averageName(name), dtype, shape);
    next.set(averageName(name), dtype === "float32" ? old.mul(decay).add(value.mul(1 - decay)) : value);
  }
}

/** The state before the first step: given weights, zero moments, averages that start at the weights. */
export function initialState(
  model: Model,
  weights: Weights,
  { optimizer, emaDecay }: Pick<StepOptions, "optimizer" | "emaDecay">,
): Map<string, TensorData> {
  const state = new Map<string, TensorData>(weights);
  const zero = (name: string, dtype: DType, shape: Shape) =>
    state.set(name, { dtype, shape, data: allocate(dtype, sizeOf(shape)) });
  zero(STEP, "int32", []);
  for (const name of Object.keys(optimizer.scalars)) zero(name, "float32", []);
  for (const { name, slot, shape } of model.slots) {
    if (slot === "parameter")
      for (const [m, s] of Object.entries(optimizer.moments(shape))) zero(momentName(m, name), "float32", s);
    if (emaDecay !== undefined) state.set(averageName(name), weights.get(name) as TensorData);
  }
  return state;
}
