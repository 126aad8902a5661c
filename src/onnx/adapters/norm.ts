import { constantValue } from "../../graph/evaluate.ts";
import { apply, constant, type Tensor } from "../../graph/tensor.ts";
import { normalizeAxis, sizeOf } from "../../graph/types.ts";
import { standardize } from "../../nn/norm.ts";
import { type Adapters, type Call, withinSamples } from "../call.ts";

/** Softmax and its logarithm; before opset 13 all axes from `axis` on are one. */
function softmax(c: Call): Tensor {
  const x = c.in(0);
  const axis = normalizeAxis(c.int("axis", c.opset < 13 ? 1 : -1), x.rank);
  withinSamples(x.shape, [axis], c.op);
  if (c.opset >= 13 || axis === x.rank - 1) return apply(c.op, [x], { axis });
  const flat = x.reshape([sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))]);
  return apply(c.op, [flat], { axis: 1 }).reshape(x.shape);
}

/** Kept in its inference form; a training graph replaces it by the norm of the batch (see replay.ts). */
function batchNorm(c: Call): Tensor {
  const operands = [0, 1, 2, 3, 4].map((i) => c.in(i));
  const epsilon = c.float("epsilon", 1e-5);
  return apply("BatchNormalization", operands, { epsilon, training_mode: 0, momentum: c.float("momentum", 0.9) });
}

function layerNorm(c: Call): Tensor {
  const x = c.in(0);
  const axis = normalizeAxis(c.int("axis", -1), x.rank);
  withinSamples(x.shape, x.shape.map((_, i) => i).slice(axis), c.op);
  const normalized = x.shape.slice(axis);
  const [scale, bias] = [c.in(1), c.x[2]].map((t) => t?.expand(normalized));
  return apply("LayerNormalization", bias ? [x, scale, bias] : [x, scale], { axis, epsilon: c.float("epsilon", 1e-5) });
}

/** [C] against [N, C, ...]. */
const alongChannels = (t: Tensor, rank: number): Tensor => t.reshape([t.size, ...Array<number>(rank - 2).fill(1)]);

const isFilled = (t: Tensor, value: number): boolean =>
  t.node.op === "Constant" && constantValue(t.node).data.every((v) => v === value);

/** Instance norm and group norm: the mean and variance of each image's group of channels. */
function grouped(c: Call, groups: number): Tensor {
  const x = c.in(0);
  const [n, channels] = x.shape;
  const y = standardize(x.reshape([n, groups, sizeOf(x.shape.slice(1)) / groups]), c.float("epsilon", 1e-5));
  if (isFilled(c.in(1), 1) && isFilled(c.in(2), 0)) return y.reshape(x.shape);
  const spread = (t: Tensor): Tensor =>
    t.size === channels
      ? t
      : t // opset 18 has one value a group
          .reshape([groups, 1])
          .expand([groups, channels / groups])
          .reshape([channels]);
  const [scale, bias] = [c.in(1), c.in(2)].map((t) => alongChannels(spread(t), x.rank));
  return y.reshape(x.shape).mul(scale).add(bias);
}

/** x / √(mean(x²) + ε) · scale (Zhang and Sennrich 2019). */
function rmsNorm(c: Call): Tensor {
  const x = c.in(0);
  const axis = normalizeAxis(c.int("axis", -1), x.rank);
  const axes = x.shape.map((_, i) => i).slice(axis);
  withinSamples(x.shape, axes, c.op);
  const square = x.mul(x).mean(axes, true);
  return x.div(square.add(c.float("epsilon", 1e-5)).sqrt()).mul(c.in(1));
}

/** x / (bias + alpha/size · Σ of squares over neighbouring channels)^beta (Krizhevsky et al. 2012). */
function localResponseNorm(c: Call): Tensor {
  const x = c.in(0);
  const size = c.int("size", 1);
  const [n, channels, ...space] = x.shape;
  const before = Math.floor((size - 1) / 2);
  const mean = x
    .mul(x)
    .reshape([n, 1, channels, sizeOf(space)])
    .avgPool({ kernel_shape: [size, 1], pads: [before, 0, size - 1 - before, 0], count_include_pad: 1 })
    .reshape(x.shape);
  const base = mean.mul(c.float("alpha", 1e-4)).add(c.float("bias", 1));
  return x.div(apply("Pow", [base, constant(c.float("beta", 0.75))]));
}

function meanVariance(c: Call): Tensor {
  const x = c.in(0);
  const axes = (c.ints("axes") ?? [0, 2, 3]).map((a) => normalizeAxis(a, x.rank));
  withinSamples(x.shape, axes, c.op);
  const centred = x.sub(x.mean(axes, true));
  return centred.div(centred.mul(centred).mean(axes, true).sqrt().add(1e-9));
}

function lpNorm(c: Call): Tensor {
  const x = c.in(0);
  const axis = normalizeAxis(c.int("axis", -1), x.rank);
  withinSamples(x.shape, [axis], c.op);
  const norm = c.int("p", 2) === 1 ? x.abs().sum([axis], true) : x.sumSquare([axis], true).sqrt();
  return x.div(norm);
}

export const norms: Adapters = {
  Softmax: softmax,
  LogSoftmax: softmax,
  BatchNormalization: batchNorm,
  LayerNormalization: layerNorm,
  InstanceNormalization: (c) => grouped(c, c.in(0).shape[1]),
  GroupNormalization: (c) => grouped(c, c.int("num_groups", 1)),
  RMSNormalization: rmsNorm,
  LRN: localResponseNorm,
  MeanVarianceNormalization: meanVariance,
  LpNormalization: lpNorm,
};
