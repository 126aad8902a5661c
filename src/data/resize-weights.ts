export type ResizeFilter = "nearest" | "bilinear" | "bicubic" | "lanczos";

/** Fraction bits of a weight: 8 bits of pixel and 2 to spare for overshoot make 32. */
export const PRECISION_BITS = 32 - 8 - 2;
/** One half: rounds. */
export const HALF = 1 << (PRECISION_BITS - 1);

const sinc = (x: number) => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

/** Support (in source pixels when enlarging) and kernel of each filter. */
const KERNELS: Record<Exclude<ResizeFilter, "nearest">, { support: number; at: (x: number) => number }> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  // Keys' cubic, a = -0.5
  bicubic: {
    support: 2,
    at: (x) => {
      const a = -0.5;
      x = Math.abs(x);
      if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
      if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
      return 0;
    },
  },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

/** One axis: result i = sum over t < counts[i] of weights[i * taps + t] * source[starts[i] + t], in units of 2^-22. */
export interface AxisWeights {
  taps: number;
  starts: Int32Array;
  counts: Int32Array;
  weights: Int32Array;
}

const cache = new Map<string, AxisWeights>();
const CACHE_ENTRIES = 512;

/** Source pixels 0 .. size-1, of which [from, to) is stretched over `out` pixels. */
export function axisWeights(size: number, from: number, to: number, out: number, filter: ResizeFilter): AxisWeights {
  const key = `${filter},${size},${from},${to},${out}`;
  const known = cache.get(key);
  if (known) return known;
  const made = filter === "nearest" ? nearestWeights(size, from, to, out) : kernelWeights(size, from, to, out, filter);
  if (cache.size >= CACHE_ENTRIES) cache.delete(cache.keys().next().value!);
  cache.set(key, made);
  return made;
}

function nearestWeights(size: number, from: number, to: number, out: number): AxisWeights {
  const scale = (to - from) / out;
  const starts = new Int32Array(out);
  for (let i = 0; i < out; i++) starts[i] = Math.min(size - 1, Math.floor(from + (i + 0.5) * scale));
  return {
    taps: 1,
    starts,
    counts: new Int32Array(out).fill(1),
    weights: new Int32Array(out).fill(1 << PRECISION_BITS),
  };
}

function kernelWeights(
  size: number,
  from: number,
  to: number,
  out: number,
  filter: Exclude<ResizeFilter, "nearest">,
): AxisWeights {
  const { support: radius, at } = KERNELS[filter];
  const scale = (to - from) / out;
  const filterScale = Math.max(scale, 1);
  const support = radius * filterScale;
  const taps = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(out);
  const counts = new Int32Array(out);
  const weights = new Int32Array(out * taps);
  const row = new Float64Array(taps);
  const inverse = 1 / filterScale;
  for (let i = 0; i < out; i++) {
    const centre = from + (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(size, Math.trunc(centre + support + 0.5)) - start;
    let sum = 0;
    for (let t = 0; t < count; t++) {
      const w = at((t + start - centre + 0.5) * inverse);
      row[t] = w;
      sum += w;
    }
    let first = count;
    let last = -1;
    for (let t = 0; t < count; t++) {
      const w = sum === 0 ? row[t] : row[t] / sum;
      const fixed = Math.trunc(w * (1 << PRECISION_BITS) + (w < 0 ? -0.5 : 0.5));
      weights[i * taps + t] = fixed;
      if (fixed !== 0) {
        if (t < first) first = t;
        last = t;
      }
    }
    // Taps of weight zero at either end cost time and change nothing.
    if (last >= first && first > 0) weights.copyWithin(i * taps, i * taps + first, i * taps + last + 1);
    starts[i] = last < first ? start : start + first;
    counts[i] = last < first ? 1 : last - first + 1;
  }
  return { taps, starts, counts, weights };
}
