import { grad } from "../autodiff/grad.ts";
import type { PassOptions } from "../graph/passes/index.ts";
import { cutsOf, recompute } from "../graph/passes/recompute.ts";
import { NEXT, type Program, program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { applyAll, concat, constant, input, type Tensor, withScope } from "../graph/tensor.ts";
import { allocate, type DType, type Shape, sizeOf, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { traceLogits, type Weights } from "../models/trace.ts";
import type { NamedSlot } from "../nn/module.ts";
import { globalNorm } from "../optim/clip.ts";
import { type LossOptions, lossOf } from "./loss.ts";
import { noiseSource } from "./noise.ts";
import {
  applyOptimizer,
  momentShapes,
  type TrainedParameter,
  trainedParameters,
  type UpdateOptions,
} from "./update.ts";

export interface StepOptions extends PassOptions, LossOptions, UpdateOptions {
  /** Images of one run of the program. */
  readonly batch: number;
  /** Batches whose gradients are averaged before one update. Default 1. */
  readonly accumulate?: number;
  /** Decay of the running average of the weights; absent: none. */
  readonly emaDecay?: number;
  /** Warm-up of that decay over the updates t done: min(decay, 1 - (1 + t)^(-power)). */
  readonly emaWarmupPower?: number;
  /** Computes activations a second time instead of keeping them all (graph/passes/recompute.ts). Default false. */
  readonly checkpointing?: boolean;
  /** Of dropout and drop path. */
  readonly seed?: number;
  /** "uint8" takes decoded pixels and normalises them in the program; "float32" takes images as the model does. */
  readonly pixels?: "uint8" | "float32";
  /** Slots that stay as they are: no gradient is computed for them, and no moments or averages are kept. */
  readonly frozen?: ReadonlySet<string>;
  /** Values of frozen slots, for the program to hold: the runtime then prepares them once. Absent: they are inputs. */
  readonly constants?: Weights;
}

/** Names of state tensors beside the model's own. */
export const averageName = (slot: string): string => `ema/${slot}`;
export const STEP = "step";
/** What the batches of an update gather of a slot: a parameter's gradient, a buffer's value to be. */
export const gatheredName = (slot: string): string => `${GATHERED}${slot}`;
/** What is gathered means nothing between two updates: checkpoints leave it out. */
export const GATHERED = "grad/";

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

/** What a step computes before the update. */
interface Backward {
  readonly loss: Tensor;
  readonly parameters: readonly TrainedParameter[];
  readonly gradients: readonly Tensor[];
  readonly slots: ReadonlyMap<string, Tensor>;
  readonly updates: ReadonlyMap<string, Tensor>;
  /** Inputs beside the state. */
  readonly inputs: readonly Tensor[];
}

/** Forward and backward. `first`, int32 [], is the number of images before this batch in the whole run. */
function backward(model: Model, options: StepOptions, first: Tensor): Backward {
  const { batch, seed = 0, pixels = "uint8", frozen = NONE, constants } = options;
  const image = input("image", pixels, [batch, ...model.inputShape]);
  const target = input("target", "float32", [batch, model.numClasses]);
  const teacher = options.distillation && input("teacher", "float32", [batch, model.numClasses]);
  const samples = constant([...Array(batch).keys()], [batch], "int32").add(first);
  const { output, slots, updates, taps } = traceLogits(model, pixels === "uint8" ? normalize(image, model) : image, {
    training: true,
    source: "inputs",
    noise: noiseSource(seed, samples),
    frozen,
    constants,
    without: options.without,
    taps: teacher ? ["head", "head_dist"] : [],
  });
  const [head, distillation] = [taps.get("head"), taps.get("head_dist")];
  const answers = { logits: output, distilled: head && distillation && { head, distillation } };
  const loss = withScope("loss", () => lossOf(answers, target, teacher, options));
  const parameters = trainedParameters(model).filter(({ name }) => slots.has(name) && !frozen.has(name));
  const gradients = gradientsOf(
    loss,
    image,
    parameters.map((s) => slots.get(s.name) as Tensor),
    options,
  );
  return { loss, parameters, gradients, slots, updates, inputs: teacher ? [image, target, teacher] : [image, target] };
}

function gradientsOf(loss: Tensor, image: Tensor, parameters: readonly Tensor[], { checkpointing }: StepOptions) {
  if (!checkpointing) return grad(loss, parameters);
  const cuts = cutsOf(loss, image);
  const all = grad(loss, [...parameters, ...cuts]);
  const [gradients, cutGradients] = [all.slice(0, parameters.length), all.slice(parameters.length)];
  return recompute({ loss, source: image, gradients, cuts, cutGradients }).gradients;
}

const NONE: ReadonlySet<string> = new Set();

/** Whether scalars, and the new values of buffers, are finite: NaN and infinity minus themselves are NaN. */
function allFinite(scalars: readonly Tensor[], updates: Backward["updates"] = new Map()): Tensor {
  const statistics = [...updates.values()].filter(({ dtype }) => dtype === "float32").map((t) => t.reshape([t.size]));
  const all = statistics.length > 0 ? concat(statistics, 0) : undefined;
  return [...scalars.map((v) => v.sub(v)), ...(all ? [all.sub(all).sum([0])] : [])].reduce((a, b) => a.add(b)).equal(0);
}

/** Clipping, optimizer and averages: the next state from the gradients. */
function update(
  model: Model,
  options: StepOptions,
  step: Tensor,
  slots: Backward["slots"],
  gradients: ReadonlyMap<string, Tensor>,
) {
  const lr = input("lr", "float32", []);
  const parameters = trainedParameters(model).filter(({ name }) => gradients.has(name));
  const next = new Map<string, Tensor>([[STEP, step.add(1)]]);
  const norm = withScope("optimizer", () => {
    const norm = globalNorm([...gradients.values()]);
    applyOptimizer(options, parameters, slots, [...gradients.values()], next, { lr, norm });
    return norm;
  });
  return { norm, next, lr };
}

const withNext = (outputs: Iterable<[string, Tensor]>, next: ReadonlyMap<string, Tensor>): Map<string, Tensor> =>
  new Map([...outputs, ...[...next].map(([name, t]): [string, Tensor] => [NEXT + name, t])]);

const named = ({ parameters, gradients }: Backward): Map<string, Tensor> =>
  new Map(parameters.map(({ name }, i) => [name, gradients[i]]));

/**
 * One training step as one program: forward, loss, gradients, clipping, optimizer, averages.
 * Inputs: image [N, C, H, W], target [N, classes], teacher [N, classes] with distillation, lr [], and the state.
 * Outputs: loss [], grad_norm [], finite (bool []: the step may be committed), and the next state.
 */
export function trainStep(model: Model, options: StepOptions): Program {
  const step = input(STEP, "int32", []);
  const b = backward(model, options, step.mul(options.batch));
  const { norm, next, lr } = update(model, options, step, b.slots, named(b));
  for (const [name, value] of b.updates) next.set(name, value);
  withScope("averages", () => average(model.slots, b.slots, next, options, step));
  const results: [string, Tensor][] = [
    ["loss", b.loss],
    ["grad_norm", norm],
    ["finite", allFinite([b.loss, norm], b.updates)],
  ];
  return program("train_step", withNext(results, next), [...b.inputs, lr]);
}

/**
 * One of the `accumulate` batches of an update: gradients, a share of their mean, are added to the state's, and buffers
 * go on beside it, since the update may yet be left out. `offset`, int32 [], is the number of images before it in the
 * update; at 0 both begin anew.
 */
export function gradientStep(model: Model, options: StepOptions): Program {
  const { batch, accumulate = 1 } = options;
  const offset = input("offset", "int32", []);
  const step = input(STEP, "int32", []);
  const b = backward(model, options, step.mul(batch * accumulate).add(offset));
  const begins = offset.equal(0);
  const next = new Map([...b.updates].map(([name, value]) => [gatheredName(name), value]));
  for (const [name, gradient] of named(b)) {
    const before = begins.where(0, input(gatheredName(name), "float32", gradient.shape));
    next.set(gatheredName(name), before.add(gradient.mul(1 / accumulate)));
  }
  const results: [string, Tensor][] = [
    ["loss", b.loss],
    ["finite", allFinite([b.loss], b.updates)],
  ];
  const outputs = goingOn(program("gradient_step", withNext(results, next)), b, begins);
  return program("gradient_step", outputs, [...b.inputs, offset]);
}

/** The outputs where buffers are read as the batch before in the update has left them. */
function goingOn(step: Program, { slots, updates }: Backward, begins: Tensor): Program["outputs"] {
  const buffers = [...updates.keys()].map((name) => slots.get(name) as Tensor);
  const moved = new Map(
    [...updates.keys()].map((name, i) => {
      const { dtype, shape } = buffers[i];
      return [buffers[i], begins.where(buffers[i], input(gatheredName(name), dtype, shape))];
    }),
  );
  return rewrite(step, ({ op, attrs }, inputs) =>
    inputs.some((t) => t && moved.has(t))
      ? applyAll(
          op,
          inputs.map((t) => t && (moved.get(t) ?? t)),
          attrs,
        )
      : undefined,
  ).outputs;
}

/** The update that follows the gradient steps. Inputs: lr [] and the state; outputs: grad_norm [], finite, next state. */
export function updateStep(model: Model, options: StepOptions): Program {
  const step = input(STEP, "int32", []);
  const slots = new Map(model.slots.map((s) => [s.name, input(s.name, s.dtype, s.shape)]));
  const { parameters, updates } = backward(model, options, constant(0, [], "int32"));
  const gathered = (name: string): Tensor => {
    const { dtype, shape } = slots.get(name) as Tensor;
    return input(gatheredName(name), dtype, shape);
  };
  const gradients = new Map(parameters.map(({ name }) => [name, gathered(name)]));
  const { norm, next, lr } = update(model, options, step, slots, gradients);
  for (const name of updates.keys()) next.set(name, gathered(name));
  withScope("averages", () => average(model.slots, slots, next, options, step));
  const results: [string, Tensor][] = [
    ["grad_norm", norm],
    ["finite", allFinite([norm])],
  ];
  return program("update_step", withNext(results, next), [lr]);
}

/** average' = decay · average + (1 - decay) · value, for parameters and running statistics. */
function average(
  all: readonly NamedSlot[],
  slots: ReadonlyMap<string, Tensor>,
  next: Map<string, Tensor>,
  { emaDecay, emaWarmupPower, frozen = NONE }: StepOptions,
  step: Tensor,
): void {
  if (emaDecay === undefined) return;
  const decay = emaWarmupPower === undefined ? undefined : warmed(emaDecay, emaWarmupPower, step);
  for (const { name, dtype, shape } of all) {
    const value = next.get(name) ?? slots.get(name);
    if (!value || frozen.has(name)) continue;
    const old = input(averageName(name), dtype, shape);
    const mean = decay ? value.add(old.sub(value).mul(decay)) : old.mul(emaDecay).add(value.mul(1 - emaDecay));
    next.set(averageName(name), dtype === "float32" ? mean : value);
  }
}

/** min(decay, 1 - (1 + t)^(-power)) after t updates, so that the first average is the first weights (timm's EMA). */
const warmed = (decay: number, power: number, step: Tensor): Tensor =>
  constant(1).sub(step.cast("float32").add(1).pow(-power)).min(decay);

/** The state before the first step: given weights, zero moments, averages that start at the weights. */
export function initialState(
  model: Model,
  weights: Weights,
  {
    optimizer,
    emaDecay,
    accumulate = 1,
    frozen = NONE,
  }: Pick<StepOptions, "optimizer" | "emaDecay" | "accumulate" | "frozen">,
): Map<string, TensorData> {
  const state = new Map<string, TensorData>(weights);
  const zero = (name: string, dtype: DType, shape: Shape) =>
    state.set(name, { dtype, shape, data: allocate(dtype, sizeOf(shape)) });
  zero(STEP, "int32", []);
  for (const name of Object.keys(optimizer.scalars)) zero(name, "float32", []);
  for (const [name, shape] of momentShapes(
    optimizer,
    trainedParameters(model).filter(({ name }) => !frozen.has(name)),
  ))
    zero(name, "float32", shape);
  for (const { name, dtype, shape } of model.slots.filter((s) => !frozen.has(s.name))) {
    if (accumulate > 1) zero(gatheredName(name), dtype, shape);
    if (emaDecay !== undefined) state.set(averageName(name), weights.get(name) as TensorData);
  }
  return state;
}
