import type { PassFigures } from "./fixture.ts";
import { norm, relative, worstOf } from "./numbers.ts";

export interface GradientErrors {
  norms: number;
  heads: number;
  worst: string;
}

export const worse = ({ norms, heads }: GradientErrors): number => Math.max(norms, heads);

/**
 * Over gradients above 1e-6 of the largest: relative error of the norm, and of the first four elements
 * relative to the gradient's root mean square, so that a permuted gradient cannot pass.
 */
export function gradientError(
  gradients: ReadonlyMap<string, Float32Array>,
  { gradients: reference }: Pick<PassFigures, "gradients">,
): GradientErrors {
  const largest = Math.max(...Object.values(reference).map((g) => g.norm));
  const errors: GradientErrors = { norms: 0, heads: 0, worst: "" };
  for (const [name, { norm: expected, head }] of Object.entries(reference)) {
    if (expected < 1e-6 * largest) continue;
    const ours = gradients.get(name) ?? new Float32Array([Number.NaN]);
    const rms = expected / Math.sqrt(ours.length);
    const norms = worstOf([relative(norm(ours), expected)]);
    const heads = worstOf(head.map((v, i) => Math.abs(ours[i] - v) / rms));
    if (Math.max(norms, heads) > worse(errors)) errors.worst = name;
    errors.norms = Math.max(errors.norms, norms);
    errors.heads = Math.max(errors.heads, heads);
  }
  return errors;
}
