import { constant } from "../graph/tensor.ts";
import { decayed, type Optimizer } from "./optimizer.ts";

export interface AdamWOptions {
  betas?: readonly [number, number];
  epsilon?: number;
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2), PyTorch's form:
 * m' = β₁m + (1-β₁)g, v' = β₂v + (1-β₂)g², w' = w(1 - lr·λ) - lr/c₁ · m' / (√v'/√c₂ + ε).
 * The corrections c = 1 - βᵗ follow c' = βc + (1-β), which keeps float32's precision where 1 - βᵗ would not.
 */
export function adamw({ betas: [b1, b2] = [0.9, 0.999], epsilon = 1e-8 }: AdamWOptions = {}): Optimizer {
  return {
    name: "adamw",
    moments: (shape) => ({ exp_avg: shape, exp_avg_sq: shape }),
    scalars: {
      correction1: (c) => c.mul(b1).add(1 - b1),
      correction2: (c) => c.mul(b2).add(1 - b2),
    },
    update: ({ value, moments }, g, { lr, gradScale, weightDecay, scalars }) => {
      const scale = gradScale ?? constant(1);
      const m = moments.exp_avg.mul(b1).add(g.mul(scale.mul(1 - b1)));
      const v = moments.exp_avg_sq.mul(b2).add(g.mul(g).mul(scale.mul(scale).mul(1 - b2)));
      // lr/c₁ · m / (√v/√c₂ + ε) = (lr·√c₂/c₁) · m / (√v + ε√c₂)
      const root = scalars.correction2.sqrt();
      const step = m.div(v.sqrt().add(root.mul(epsilon))).mul(lr.mul(root).div(scalars.correction1));
      return { value: decayed(value, lr, weightDecay).sub(step), moments: { exp_avg: m, exp_avg_sq: v } };
    },
  };
}
