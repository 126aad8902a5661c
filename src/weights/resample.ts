import { TesseraeError } from "../errors.ts";

export type GridSize = readonly [height: number, width: number];

/** Keys' cubic convolution kernel with a = -1/2, the one of antialiased bicubic resizing in Pillow and PyTorch. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t < 1) return (1.5 * t - 2.5) * t * t + 1; // (a+2)t³ - (a+3)t² + 1
  if (t < 2) return ((-0.5 * t + 2.5) * t - 4) * t + 2; // at³ - 5at² + 8at - 4a
  return 0;
}

interface Taps {
  readonly start: number;
  readonly weights: Float64Array;
}

/** For each output position, the inputs it reads: the kernel is stretched by the scale when shrinking (antialias). */
function taps(from: number, to: number): Taps[] {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const center = scale * (i + 0.5);
    const start = Math.max(Math.trunc(center - 2 * stretch + 0.5), 0);
    const stop = Math.min(Math.trunc(center + 2 * stretch + 0.5), from);
    const weights = new Float64Array(stop - start).map((_, j) => cubic((start + j - center + 0.5) / stretch));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start, weights: weights.map((weight) => weight / total) };
  });
}

/** Resizes the middle axis of a [outer, from, inner] array to [outer, to, inner]. */
function resampleAxis(x: ArrayLike<number>, outer: number, from: number, to: number, inner: number): Float64Array {
  const y = new Float64Array(outer * to * inner);
  const rows = taps(from, to);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < to; i++) {
      const { start, weights } = rows[i];
      const target = (o * to + i) * inner;
      for (let j = 0; j < weights.length; j++) {
        const source = (o * from + start + j) * inner;
        for (let c = 0; c < inner; c++) y[target + c] += weights[j] * x[source + c];
      }
    }
  return y;
}

/**
 * Resizes a [h, w, channels] grid as torch's F.interpolate(mode="bicubic", antialias=True, align_corners=False) does,
 * but summing in float64.
 */
export function resampleGrid(
  grid: Float32Array,
  { from, to, channels }: { from: GridSize; to: GridSize; channels: number },
): Float32Array {
  if (![...from, ...to, channels].every((size) => Number.isSafeInteger(size) && size > 0))
    throw new TesseraeError("shape", `cannot resize a grid of [${from}] x ${channels} to [${to}]`);
  if (grid.length !== from[0] * from[1] * channels)
    throw new TesseraeError("shape", `a grid of [${from}] x ${channels} does not have ${grid.length} elements`);
  const wide = resampleAxis(grid, from[0], from[1], to[1], channels);
  return Float32Array.from(resampleAxis(wide, 1, from[0], to[0], to[1] * channels));
}

/**
 * A position table [prefixTokens + h·w, dim] for another grid: the prefix (class, distillation, register tokens) is
 * kept and the grid resized. Equals timm's `resample_abs_pos_embed` to float32 rounding. Throws TesseraeError("shape").
 */
export function resamplePositionTable(
  table: Float32Array,
  { from, to, dim, prefixTokens }: { from: GridSize; to: GridSize; dim: number; prefixTokens: number },
): Float32Array {
  const tokens = prefixTokens + from[0] * from[1];
  if (table.length !== tokens * dim)
    throw new TesseraeError(
      "shape",
      `a position table of ${table.length} elements is not ${prefixTokens} + ${from[0]} x ${from[1]} tokens of ${dim}`,
    );
  if (from[0] === to[0] && from[1] === to[1]) return table.slice();
  const prefix = prefixTokens * dim;
  const grid = resampleGrid(table.subarray(prefix), { from, to, channels: dim });
  const out = new Float32Array(prefix + grid.length);
  out.set(table.subarray(0, prefix));
  out.set(grid, prefix);
  return out;
}
