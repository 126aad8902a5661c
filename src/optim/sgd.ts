import type { Shape } from "../graph/types.ts";
import { type Optimizer, scaled, type Updated } from "./optimizer.ts";

export interface SgdOptions {
  momentum?: number;
  nesterov?: boolean;
}

/**
 * Stochastic gradient descent with momentum, PyTorch's form: g' = g + λw, b' = μb + g', w' = w - lr · (g' + μb' | b').
 * Decay is part of the gradient, as timm's `sgd`.
 */
export function sgd({ momentum = 0.9, nesterov = true }: SgdOptions = {}): Optimizer {
  return {
    name: "sgd",
    moments: ({ shape }): Record<string, Shape> => (momentum ? { momentum_buffer: shape } : {}),
    scalars: {},
    update: ({ value, moments }, gradient, { lr, gradScale, weightDecay }): Updated => {
      let g = scaled(gradient, gradScale);
      if (weightDecay) g = g.add(value.mul(weightDecay));
      if (!momentum) return { value: value.sub(g.mul(lr)), moments: {} };
      const b = moments.momentum_buffer.mul(momentum).add(g);
      const step = nesterov ? g.add(b.mul(momentum)) : b;
      return { value: value.sub(step.mul(lr)), moments: { momentum_buffer: b } };
    },
  };
}
