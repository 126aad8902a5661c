import { constant, type Tensor } from "../graph/tensor.ts";

/** √Σ‖g‖² over all gradients. */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  const squares = gradients.map((g) => g.sumSquare());
  return squares.reduce((a, b) => a.add(b)).sqrt();
}

/** min(1, max / (norm + 1e-6)): the factor of PyTorch's clip_grad_norm_. */
export const clipFactor = (norm: Tensor, max: number): Tensor => constant(max).div(norm.add(1e-6)).min(1);
