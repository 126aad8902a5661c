import type { Tensor } from "../graph/tensor.ts";
import { defaultBias, defaultWeight } from "./init.ts";
import { type Init, module, parameter } from "./module.ts";

export interface LinearOptions {
  bias?: boolean;
  weightInit?: Init;
  biasInit?: Init;
  /** Weight decay applies to the weight; default true. */
  decay?: boolean;
}

/** x [..., in] · Wᵀ + b with W [out, in]. */
export function dense(x: Tensor, weight: Tensor, bias?: Tensor): Tensor {
  const [out, width] = weight.shape;
  const y = x.reshape([x.size / width, width]).gemm(weight, bias, { transB: 1 });
  return y.reshape([...x.shape.slice(0, -1), out]);
}

export const linear = (width: number, out: number, { bias = true, weightInit, biasInit, decay }: LinearOptions = {}) =>
  module(
    {
      weight: parameter([out, width], weightInit ?? defaultWeight, { decay }),
      bias: bias ? parameter([out], biasInit ?? defaultBias(width)) : undefined,
    },
    (m, x: Tensor) => dense(x, m.weight, m.bias),
  );

/**
 * One weight [parts · out, in] used as `parts` separate projections, so that queries, keys and values come from
 * three products and nothing as large as an activation is split or joined.
 */
export const splitLinear = (
  width: number,
  out: number,
  parts: number,
  { bias = true, weightInit, biasInit }: LinearOptions = {},
) =>
  module(
    {
      weight: parameter([parts * out, width], weightInit ?? defaultWeight),
      bias: bias ? parameter([parts * out], biasInit ?? defaultBias(width)) : undefined,
    },
    (m, x: Tensor) => {
      const biases = m.bias?.split(parts, 0);
      return m.weight.split(parts, 0).map((w, i) => dense(x, w, biases?.[i]));
    },
  );
