import type { Tensor } from "../graph/tensor.ts";
import { apply, applyAll, constant } from "../graph/tensor.ts";
import { ones, zeros } from "./init.ts";
import { buffer, type Init, module, parameter, trace } from "./module.ts";

/** Layer norm over the last axis (Ba et al. 2016). timm's transformers use epsilon 1e-6. */
export const layerNorm = (
  dim: number,
  { epsilon = 1e-6, weightInit = ones }: { epsilon?: number; weightInit?: Init } = {},
) =>
  module({ weight: parameter([dim], weightInit), bias: parameter([dim], zeros) }, (m, x: Tensor) =>
    apply("LayerNormalization", [x, m.weight, m.bias], { axis: x.rank - 1, epsilon }),
  );

/** Layer norm over the channels of each pixel of [N, C, H, W]. */
export const layerNorm2d = (dim: number, { epsilon = 1e-6 }: { epsilon?: number } = {}) =>
  module({ weight: parameter([dim], ones), bias: parameter([dim], zeros) }, (m, x: Tensor) =>
    apply("LayerNormalization", [x.transpose([0, 2, 3, 1]), m.weight, m.bias], { axis: 3, epsilon }).transpose([
      0, 3, 1, 2,
    ]),
  );

/** Zero mean and unit (biased) variance along the last axis; nothing learned. */
export const standardize = (x: Tensor, epsilon: number): Tensor =>
  apply("LayerNormalization", [x, constant(1).expand([x.shape[x.rank - 1]])], { axis: x.rank - 1, epsilon });

/** Group norm of [N, C, ...]: the channels of a group share one mean and variance (Wu and He 2018). */
export const groupNorm = (
  dim: number,
  { groups = 32, epsilon = 1e-5, weightInit = ones }: { groups?: number; epsilon?: number; weightInit?: Init } = {},
) =>
  module({ weight: parameter([dim], weightInit), bias: parameter([dim], zeros) }, (m, x: Tensor) => {
    const rows = standardize(x.reshape([x.shape[0], groups, x.size / x.shape[0] / groups]), epsilon);
    const channels = [dim, ...Array<number>(x.rank - 2).fill(1)];
    return rows.reshape(x.shape).mul(m.weight.reshape(channels)).add(m.bias.reshape(channels));
  });

export interface BatchNormOptions {
  epsilon?: number;
  /** PyTorch's momentum: the share of the new statistics. */
  momentum?: number;
  weightInit?: Init;
}

/** Running statistics of a batch norm: buffers of the trace. */
export interface Statistics {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** x normalised by its own batch; the running statistics follow by PyTorch's `momentum`. */
export function batchNormInTraining(
  x: Tensor,
  parts: { weight: Tensor; bias: Tensor; running: Statistics; epsilon: number; momentum: number },
): Tensor {
  const { weight, bias, running, epsilon, momentum } = parts;
  // With ONNX momentum 0, outputs 1 and 2 are the batch's own mean and biased variance. The runtime writes them over
  // inputs 3 and 4, so these are zeros of their own and not the running statistics, which are still to be read.
  const scratch = [running.mean, running.variance].map((t) => t.mul(0));
  const [y, mean, variance] = applyAll("BatchNormalization", [x, weight, bias, ...scratch], {
    epsilon,
    training_mode: 1,
    momentum: 0,
  });
  const n = x.size / x.shape[1];
  const blend = (old: Tensor, now: Tensor): Tensor => old.mul(1 - momentum).add(now.mul(momentum));
  trace().update(running.mean, blend(running.mean, mean));
  trace().update(running.variance, blend(running.variance, variance.mul(n / (n - 1))));
  return y;
}

/**
 * Batch norm over [N, C, H, W] (Ioffe and Szegedy 2015) with PyTorch's running statistics: the mean and the
 * unbiased variance of each batch, blended with `momentum`. Frozen running statistics normalise in training too.
 */
export const batchNorm = (dim: number, { epsilon = 1e-5, momentum = 0.1, weightInit = ones }: BatchNormOptions = {}) =>
  module(
    {
      weight: parameter([dim], weightInit),
      bias: parameter([dim], zeros),
      running_mean: buffer([dim], zeros),
      running_var: buffer([dim], ones),
      num_batches_tracked: buffer([], zeros, "int64"),
    },
    (m, x: Tensor) => {
      const running = { mean: m.running_mean, variance: m.running_var };
      if (!trace().training || trace().isFrozen(running.mean))
        return apply("BatchNormalization", [x, m.weight, m.bias, running.mean, running.variance], {
          epsilon,
          training_mode: 0,
        });
      const y = batchNormInTraining(x, { weight: m.weight, bias: m.bias, running, epsilon, momentum });
      trace().update(m.num_batches_tracked, m.num_batches_tracked.add(1));
      return y;
    },
  );
