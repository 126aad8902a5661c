import type { Tensor } from "../graph/tensor.ts";
import { type Shape, sizeOf } from "../graph/types.ts";
import { adamw, type Betas } from "./adamw.ts";
import { decayed, type Optimizer, type ParameterInfo, scaled } from "./optimizer.ts";

export interface MuonOptions {
  momentum?: number;
  /** Nesterov's momentum, and NAdamW instead of AdamW for the other parameters: timm's `nmuon`. */
  nesterov?: boolean;
  /** Of AdamW, for the other parameters. */
  betas?: Betas;
  /** Least norm of Newton-Schulz, and AdamW's ε. */
  epsilon?: number;
}

/** Coefficients (a, b, c) of the five iterations; timm's "quintic", found by Jiacheng You for modded-nanogpt. */
const QUINTIC = [
  [4.0848, -6.8946, 2.927],
  [3.9505, -6.3029, 2.6377],
  [3.7418, -5.5913, 2.3037],
  [2.8769, -3.1427, 1.2046],
  [2.8366, -3.0525, 1.2012],
] as const;

/**
 * Muon (Jordan et al. 2024), timm's form. Hidden weight matrices: b' = μb + (1-μ)g, u = b' or, Nesterov, g + μ(b' - g);
 * w' = w(1 - lr·λ) - lr · 0.2√max(out, in) · NS(u), where NS makes the singular values of u about 1. Kernels
 * [out, in, h, w] count as matrices [out, in·h·w]. The rest, see `suitsMuon`, AdamW updates at the same rate.
 */
export function muon({
  momentum = 0.95,
  nesterov = false,
  betas = [0.9, 0.95],
  epsilon = 1e-7,
}: MuonOptions = {}): Optimizer {
  const other = adamw({ betas, epsilon, nesterov });
  return {
    name: nesterov ? "nmuon" : "muon",
    moments: (parameter) => (suitsMuon(parameter) ? { momentum_buffer: parameter.shape } : other.moments(parameter)),
    scalars: other.scalars,
    update: (parameter, gradient, context) => {
      const old = parameter.moments.momentum_buffer;
      if (!old) return other.update(parameter, gradient, context);
      const { lr, gradScale, weightDecay } = context;
      const { shape } = parameter.value;
      const g = scaled(gradient, gradScale);
      const b = old.mul(momentum).add(g.mul(1 - momentum));
      const u = nesterov ? g.mul(1 - momentum).add(b.mul(momentum)) : b;
      const direction = orthogonalized(u.reshape(matrix(shape)), epsilon).reshape(shape);
      const step = direction.mul(lr.mul(0.2 * Math.sqrt(Math.max(...matrix(shape)))));
      return { value: decayed(parameter.value, lr, weightDecay).sub(step), moments: { momentum_buffer: b } };
    },
  };
}

/** [out, everything else]. */
const matrix = (shape: Shape): [number, number] => [shape[0], sizeOf(shape.slice(1))];

/**
 * Is it Muon's? timm's rule on the shape: two axes or more, the first two above 1 (so neither tables, tokens nor
 * depthwise kernels), and as a matrix at least 4 wide and no longer than 128 times its width. And, as the method's
 * author has it, neither the stem (patch embedding) nor the head.
 */
export function suitsMuon({ shape, hidden = true }: ParameterInfo): boolean {
  if (!hidden || shape.length < 2 || shape[0] === 1 || shape[1] === 1) return false;
  const [least, most] = matrix(shape).sort((a, b) => a - b);
  return least >= 4 && most / least <= 128;
}

/** Newton-Schulz: X' = aX + (bA + cA²)X with A = XXᵀ, from X = U / max(‖U‖, ε), on the shorter side of U [m, n]. */
function orthogonalized(u: Tensor, epsilon: number): Tensor {
  const [m, n] = u.shape;
  let x = m > n ? u.mT() : u;
  x = x.div(x.sumSquare().sqrt().max(epsilon));
  for (const [a, b, c] of QUINTIC) {
    const outer = x.gemm(x, undefined, { transB: 1 });
    x = outer.gemm(outer, outer.mul(b), { alpha: c }).gemm(x, x.mul(a));
  }
  return m > n ? x.mT() : x;
}
