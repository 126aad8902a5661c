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

/**
 * Where the offsets of a table of side `from` lie among those of one of side `to`: steps from the centre grow as
 * 1, q, q², ... such that the outermost meet (BEiT's fine-tuning code, which timm follows; q by bisection in [1.01, 1.5]).
 */
function offsetPlaces(from: number, to: number): number[] {
  const steps = Math.floor(from / 2);
  let [left, right, q] = [1.01, 1.5, 1.01];
  while (right - left > 1e-6) {
    q = (left + right) / 2;
    if ((1 - q ** steps) / (1 - q) > Math.floor(to / 2)) right = q;
    else left = q;
  }
  const places: number[] = [];
  for (let i = 0, at = 1; i < steps; i++) {
    places.push(at);
    at += q ** (i + 1);
  }
  return [...places.map((p) => -p).reverse(), 0, ...places].map(Math.fround);
}

/** Linear weights of the old offsets for each new one: [index, index, share of the second]. */
function offsetTaps(from: number, to: number): [number, number, number][] {
  const places = offsetPlaces(from, to);
  return Array.from({ length: to }, (_, i) => {
    const x = i - Math.floor(to / 2);
    const found = places.findIndex((p) => p >= x);
    const right = found < 0 ? from - 1 : found;
    const left = Math.max(right - 1, 0);
    const [a, b] = [Math.max(x - places[left], 0), Math.max(places[right] - x, 0)];
    return [left, right, a + b === 0 ? 1 : a / (a + b)];
  });
}

/** A table of relative positions of sides [2H-1, 2W-1]; `layout` says where the heads are. */
export interface OffsetTable {
  readonly data: Float32Array;
  readonly size: GridSize;
  readonly heads: number;
  readonly layout: "heads first" | "heads last";
}

/**
 * A table of relative position biases for another window, as timm's `resize_rel_pos_bias_table` does: linear in the
 * offset, on places that grow geometrically from the centre. Both sides are odd. Throws TesseraeError("shape").
 */
export function resampleOffsetTable({ data, size, heads, layout }: OffsetTable, to: GridSize): Float32Array {
  if (
    data.length !== size[0] * size[1] * heads ||
    ![...size, ...to].every((s) => Number.isSafeInteger(s) && s % 2 === 1)
  )
    throw new TesseraeError("shape", `cannot resize a table of offsets [${size}] of ${heads} heads to [${to}]`);
  if (`${size}` === `${to}`) return data.slice();
  const [inner, outer] = layout === "heads first" ? [1, size[0] * size[1]] : [heads, 1];
  const [innerTo, outerTo] = layout === "heads first" ? [1, to[0] * to[1]] : [heads, 1];
  const [rows, columns] = [offsetTaps(size[0], to[0]), offsetTaps(size[1], to[1])];
  const out = new Float32Array(to[0] * to[1] * heads);
  for (let h = 0; h < heads; h++) {
    const value = (y: number, x: number) => data[h * outer + (y * size[1] + x) * inner];
    for (let y = 0; y < to[0]; y++)
      for (let x = 0; x < to[1]; x++) {
        const [[top, bottom, dy], [left, right, dx]] = [rows[y], columns[x]];
        const above = value(top, left) * (1 - dx) + value(top, right) * dx;
        const below = value(bottom, left) * (1 - dx) + value(bottom, right) * dx;
        out[h * outerTo + (y * to[1] + x) * innerTo] = above * (1 - dy) + below * dy;
      }
  }
  return out;
}

/**
 * Weights [out, 3, h, w] of a first convolution for another number of channels, as timm's `adapt_input_conv`: for one
 * channel their sum, else repeated in turn and scaled by 3 / channels.
 */
export function adaptInputChannels(data: Float32Array, shape: readonly number[], channels: number): Float32Array {
  const [out, from, height, width] = shape;
  const plane = height * width;
  const result = new Float32Array(out * channels * plane);
  const scale = channels === 1 ? 1 : from / channels;
  for (let o = 0; o < out; o++)
    for (let c = 0; c < Math.max(channels, channels === 1 ? from : 0); c++)
      for (let i = 0; i < plane; i++) {
        const to = (o * channels + (channels === 1 ? 0 : c)) * plane + i;
        result[to] += scale * data[(o * from + (c % from)) * plane + i];
      }
  return result;
}
