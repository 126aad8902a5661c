import { constant, type Tensor } from "../graph/tensor.ts";

/** timm's clip modes: by the norm of all gradients, by value, or unit by unit against the weights (AGC). */
export const CLIP_MODES = ["norm", "value", "agc"] as const;
export type ClipMode = (typeof CLIP_MODES)[number];

/** √Σ‖g‖² over all gradients. */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const squares = gradients.map((g) => g.sumSquare());
  return squares.reduce((a, b) => a.add(b)).sqrt();
}

/** min(1, max / (norm + 1e-6)): the factor of PyTorch's clip_grad_norm_. */
export const clipFactor = (norm: Tensor, max: number): Tensor => constant(max).div(norm.add(1e-6)).min(1);

/** max(-v, min(v, g)): PyTorch's clip_grad_value_. */
export const clipValue = (gradient: Tensor, value: number): Tensor => gradient.clip(-value, value);

/**
 * Adaptive clipping (Brock et al. 2021, eq. 3), timm's form: every unit's gradient is at most `factor` times as long
 * as the unit's weights, ‖g‖ ≤ factor · max(‖w‖, 1e-3). A unit is an entry of the first axis, [out, ...]; a vector is
 * one unit.
 */
export function adaptiveClip(gradient: Tensor, weights: Tensor, factor: number): Tensor {
  const inner = weights.rank <= 1 ? undefined : Array.from({ length: weights.rank - 1 }, (_, i) => i + 1);
  const norm = (t: Tensor): Tensor => t.sumSquare(inner, weights.rank > 1).sqrt();
  const most = norm(weights).max(1e-3).mul(factor);
  return gradient.mul(most.div(norm(gradient).max(1e-6)).min(1));
}
