import { TesseraeError } from "../errors.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";

/** What the values of a tensor lie in. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/** What calibration saw of a tensor. */
export interface Observed extends Range {
  /** Of each channel. */
  readonly means: Float64Array;
}

/** Sums of each channel's values, and how many values they are of: [N, C, H, W] along C, other shapes along the last axis. */
export interface ChannelSums {
  readonly sums: Float64Array;
  readonly count: number;
}

export function addedUp(seen: ChannelSums | undefined, { shape, data }: TensorData): ChannelSums {
  const axis = shape.length === 4 ? 1 : shape.length - 1;
  const [channels, inner] = [shape[axis], sizeOf(shape.slice(axis + 1))];
  const sums = seen?.sums ?? new Float64Array(channels);
  for (let at = 0; at < data.length; at += inner) {
    let sum = 0;
    for (let i = at; i < at + inner; i++) sum += Number(data[i]);
    sums[(at / inner) % channels] += sum;
  }
  return { sums, count: (seen?.count ?? 0) + data.length / channels };
}

/** How a range is chosen of the values that were seen. */
export const RANGE_METHODS = ["minmax", "percentile", "mse"] as const;
export type RangeMethod = (typeof RANGE_METHODS)[number];

const BINS = 2048;

/** A histogram over a range that is known: BINS equal bins from low to high. */
export interface Histogram extends Range {
  readonly counts: Float64Array;
}

/** The range that holds these values and what was seen before. Throws TesseraeError("model") where one is no number. */
export function widened(seen: Range | undefined, values: Float32Array): Range {
  let { low, high } = seen ?? { low: 0, high: 0 };
  for (const v of values) {
    if (v < low) low = v;
    if (v > high) high = v;
    if (Number.isNaN(v)) throw new TesseraeError("model", "gives NaN on the calibration images");
  }
  return { low, high };
}

export const emptyHistogram = ({ low, high }: Range): Histogram => ({ low, high, counts: new Float64Array(BINS) });

export function count({ low, high, counts }: Histogram, values: Float32Array): void {
  const scale = BINS / (high - low || 1);
  for (const v of values) counts[Math.min(BINS - 1, Math.max(0, Math.floor((v - low) * scale)))]++;
}

/** Part of the values on each side that "percentile" leaves out. */
const TAIL = 1e-4;

/** The range to quantize by. */
export function chosenRange(histogram: Histogram, method: RangeMethod): Range {
  if (method === "minmax") return histogram;
  return method === "percentile" ? withoutTails(histogram) : leastError(histogram);
}

function withoutTails({ low, high, counts }: Histogram): Range {
  const total = counts.reduce((a, b) => a + b, 0);
  const width = (high - low) / BINS;
  const edge = (order: (i: number) => number): number => {
    let sum = 0;
    for (let i = 0; i < BINS; i++) {
      sum += counts[order(i)];
      if (sum > TAIL * total) return i;
    }
    return 0;
  };
  return { low: low + width * edge((i) => i), high: high - width * edge((i) => BINS - 1 - i) };
}

/** Parts of the whole range that are tried on each side. */
const PARTS = Array.from({ length: 16 }, (_, i) => 1 - i / 20);

/** The range whose 256 steps change the values least: mean squared error over the bins' centres. */
function leastError(histogram: Histogram): Range {
  const { low, high, counts } = histogram;
  const width = (high - low) / BINS;
  const error = (range: Range): number => {
    const step = (range.high - range.low) / 255 || 1;
    let sum = 0;
    for (let i = 0; i < BINS; i++) {
      if (counts[i] === 0) continue;
      const v = low + (i + 0.5) * width;
      const q = Math.round((Math.min(range.high, Math.max(range.low, v)) - range.low) / step);
      sum += counts[i] * (v - (range.low + q * step)) ** 2;
    }
    return sum;
  };
  const candidates = PARTS.flatMap((a) => (low < 0 ? PARTS : [1]).map((b) => ({ low: low * b, high: high * a })));
  const errors = candidates.map(error);
  return candidates[errors.indexOf(Math.min(...errors))];
}
