import type { Tensor } from "../graph/tensor.ts";
import type { Betas } from "./adamw.ts";
import { decayed, type Optimizer, scaled } from "./optimizer.ts";

export interface LionOptions {
  betas?: Betas;
}

/**
 * Lion (Chen et al. 2023, program 1): w' = w(1 - lr·λ) - lr · sign(β₁m + (1-β₁)g), m' = β₂m + (1-β₂)g. Every weight
 * moves by the same amount, so its rate is three to ten times below AdamW's, its decay as many times above.
 */
export function lion({ betas: [b1, b2] = [0.9, 0.99] }: LionOptions = {}): Optimizer {
  return {
    name: "lion",
    moments: ({ shape }) => ({ exp_avg: shape }),
    scalars: {},
    update: ({ value, moments: { exp_avg: m } }, gradient, { lr, gradScale, weightDecay }) => {
      const g = scaled(gradient, gradScale);
      const mix = (beta: number): Tensor => m.mul(beta).add(g.mul(1 - beta));
      const step = mix(b1).sign().mul(lr);
      return { value: decayed(value, lr, weightDecay).sub(step), moments: { exp_avg: mix(b2) } };
    },
  };
}
