import { constant, type Tensor } from "../graph/tensor.ts";
import { decayed, type Optimizer } from "./optimizer.ts";

export type Betas = readonly [number, number];

export interface AdamWOptions {
  betas?: Betas;
  epsilon?: number;
  /** Looks one step ahead (Dozat 2016), as timm's NAdamW: m'' = β₁m' + (1-β₁)g takes the place of m' in the step. */
  nesterov?: boolean;
}

/** c' = βc + (1-β), so that c = 1 - βᵗ: keeps float32's precision where 1 - βᵗ would not. */
export const corrections = ([b1, b2]: Betas): Optimizer["scalars"] => ({
  correction1: (c) => c.mul(b1).add(1 - b1),
  correction2: (c) => c.mul(b2).add(1 - b2),
});

export interface Moments {
  exp_avg: Tensor;
  exp_avg_sq: Tensor;
}

/** m' = β₁m + (1-β₁)g, the clipping factor within the coefficient. */
const nextAverage = (m: Tensor, g: Tensor, [b1]: Betas, scale: Tensor = constant(1)): Tensor =>
  m.mul(b1).add(g.mul(scale.mul(1 - b1)));

/** m' = β₁m + (1-β₁)g, v' = β₂v + (1-β₂)g², with the clipping factor within the coefficients. */
export function nextMoments(
  old: Readonly<Record<string, Tensor>>,
  g: Tensor,
  betas: Betas,
  scale: Tensor = constant(1),
): Moments {
  const [, b2] = betas;
  return {
    exp_avg: nextAverage(old.exp_avg, g, betas, scale),
    exp_avg_sq: old.exp_avg_sq.mul(b2).add(g.mul(g).mul(scale.mul(scale).mul(1 - b2))),
  };
}

/**
 * AdamW (Loshchilov and Hutter 2019, algorithm 2), PyTorch's form:
 * m' = β₁m + (1-β₁)g, v' = β₂v + (1-β₂)g², w' = w(1 - lr·λ) - lr/c₁ · m' / (√v'/√c₂ + ε).
 */
export function adamw({ betas = [0.9, 0.999], epsilon = 1e-8, nesterov = false }: AdamWOptions = {}): Optimizer {
  return {
    name: nesterov ? "nadamw" : "adamw",
    moments: ({ shape }) => ({ exp_avg: shape, exp_avg_sq: shape }),
    scalars: corrections(betas),
    update: ({ value, moments }, g, { lr, gradScale, weightDecay, scalars }) => {
      const next = nextMoments(moments, g, betas, gradScale);
      const m = nesterov ? nextAverage(next.exp_avg, g, betas, gradScale) : next.exp_avg;
      // lr/c₁ · m / (√v/√c₂ + ε) = (lr·√c₂/c₁) · m / (√v + ε√c₂)
      const root = scalars.correction2.sqrt();
      const step = m.div(next.exp_avg_sq.sqrt().add(root.mul(epsilon))).mul(lr.mul(root).div(scalars.correction1));
      return { value: decayed(value, lr, weightDecay).sub(step), moments: { ...next } };
    },
  };
}
