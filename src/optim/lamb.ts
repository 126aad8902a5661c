import { constant, type Tensor } from "../graph/tensor.ts";
import { type AdamWOptions, corrections, nextMoments } from "./adamw.ts";
import type { Optimizer } from "./optimizer.ts";

export type LambOptions = Omit<AdamWOptions, "nesterov">;

/**
 * LAMB (You et al. 2020, algorithm 2), timm's form: Adam's direction r = m'/c₁ / (√v'/√c₂ + ε), decay within it
 * (u = r + λw), and a step as long as the weights are: w' = w - lr · ‖w‖/‖u‖ · u. The ratio is 1 where either norm is
 * 0, and for parameters without decay, as with timm's `always_adapt` off. Its clipping of the global gradient norm
 * is our own (`clipGrad`).
 */
export function lamb({ betas = [0.9, 0.999], epsilon = 1e-6 }: LambOptions = {}): Optimizer {
  return {
    name: "lamb",
    moments: ({ shape }) => ({ exp_avg: shape, exp_avg_sq: shape }),
    scalars: corrections(betas),
    update: ({ value, moments }, g, { lr, gradScale, weightDecay, scalars }) => {
      const next = nextMoments(moments, g, betas, gradScale);
      const root = scalars.correction2.sqrt();
      const r = next.exp_avg.div(next.exp_avg_sq.sqrt().add(root.mul(epsilon)));
      const bias = root.div(scalars.correction1); // m/c₁ / (√v/√c₂ + ε) = √c₂/c₁ · m / (√v + ε√c₂)
      if (weightDecay === 0) return { value: value.sub(r.mul(lr.mul(bias))), moments: { ...next } };
      const u = r.mul(bias).add(value.mul(weightDecay));
      return { value: value.sub(u.mul(lr.mul(trustRatio(value, u)))), moments: { ...next } };
    },
  };
}

/** ‖w‖ / ‖u‖, or 1 where either is 0. */
function trustRatio(weights: Tensor, update: Tensor): Tensor {
  const [w, u] = [weights.sumSquare().sqrt(), update.sumSquare().sqrt()];
  const both = w.greater(0).and(u.greater(0));
  return both.where(w.div(both.where(u, constant(1))), 1);
}
