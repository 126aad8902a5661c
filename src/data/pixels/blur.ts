import type { PlanarImage } from "../frame.ts";

/*
 * Two blurs: Pillow's ImageFilter.GaussianBlur (three box filters of fractional width, to the bit) and torchvision's
 * GaussianBlur (the sampled kernel).
 */

const { fround } = Math;

/** Radius of the box whose three-fold application has the standard deviation `sigma` (Gwosdek et al. 2011, eq. 14). */
function boxRadius(sigma: number, passes: number): number {
  const variance = fround(fround(fround(sigma) * fround(sigma)) / passes);
  const length = fround(Math.sqrt(12 * variance + 1));
  const whole = Math.floor((length - 1) / 2);
  const part = fround((2 * whole + 1) * fround(whole * (whole + 1) - fround(3 * variance)));
  return fround(whole + fround(part / fround(6 * fround(variance - (whole + 1) * (whole + 1)))));
}

let between = new Uint8Array(0);

/** Pillow's Gaussian blur; `sigma` in pixels. */
export function boxGaussianBlur({ data, channels, width, height }: PlanarImage, sigma: number): void {
  if (sigma === 0) return;
  const radius = boxRadius(sigma, 3);
  const plane = width * height;
  if (between.length < 2 * plane) between = new Uint8Array(2 * plane);
  const [one, two] = [between.subarray(0, plane), between.subarray(plane, 2 * plane)];
  for (let c = 0; c < channels; c++) {
    const pixels = data.subarray(c * plane, (c + 1) * plane);
    boxRows(pixels, one, width, height, radius);
    boxRows(one, two, width, height, radius);
    boxRows(two, one, width, height, radius);
    boxColumns(one, two, width, height, radius);
    boxColumns(two, one, width, height, radius);
    boxColumns(one, pixels, width, height, radius);
  }
}

/** Weights in 2^-24 of the 2 r + 1 inner pixels and of the two beyond them, r = floor(radius). */
function boxWeights(radius: number): { reach: number; inner: number; outer: number } {
  const reach = Math.trunc(radius);
  const inner = Math.trunc(fround(0x1000000 / fround(fround(radius * 2) + 1)));
  return { reach, inner, outer: Math.trunc((0x1000000 - (reach * 2 + 1) * inner) / 2) };
}

const HALF = 1 << 23;

/** The sums wrap around 2^32 nowhere: 255 * 2^24 + 2^23 is less; `>>> 24` reads them as unsigned. */
function boxRows(from: Uint8Array, to: Uint8Array, width: number, height: number, radius: number): void {
  const { reach, inner, outer } = boxWeights(radius);
  const last = width - 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let sum = from[row] * (reach + 1);
    for (let x = 0; x < reach; x++) sum += from[row + Math.min(x, last)];
    for (let x = 0; x < width; x++) {
      const left = row + (x > reach ? x - reach - 1 : 0);
      const right = x + reach < last ? row + x + reach : row + last;
      const beyond = x + reach + 1 < last ? row + x + reach + 1 : row + last;
      sum += from[right] - from[left];
      to[row + x] = (Math.imul(sum, inner) + Math.imul(from[left] + from[beyond], outer) + HALF) >>> 24;
    }
  }
}

let sums = new Int32Array(0);

function boxColumns(from: Uint8Array, to: Uint8Array, width: number, height: number, radius: number): void {
  const { reach, inner, outer } = boxWeights(radius);
  const last = height - 1;
  if (sums.length < width) sums = new Int32Array(width);
  for (let x = 0; x < width; x++) sums[x] = from[x] * (reach + 1);
  for (let y = 0; y < reach; y++) {
    const row = Math.min(y, last) * width;
    for (let x = 0; x < width; x++) sums[x] += from[row + x];
  }
  for (let y = 0; y < height; y++) {
    const above = Math.max(0, y - reach - 1) * width;
    const below = Math.min(y + reach, last) * width;
    const beyond = Math.min(y + reach + 1, last) * width;
    const row = y * width;
    for (let x = 0; x < width; x++) {
      const sum = sums[x] + from[below + x] - from[above + x];
      sums[x] = sum;
      to[row + x] = (Math.imul(sum, inner) + Math.imul(from[above + x] + from[beyond + x], outer) + HALF) >>> 24;
    }
  }
}

/** exp(-x^2 / (2 sigma^2)) at x = 0, 1, .. (taps - 1) / 2, normalised over both sides. */
export function gaussianKernel(taps: number, sigma: number): Float64Array {
  const half = Float64Array.from({ length: (taps + 1) / 2 }, (_, x) => Math.exp(-0.5 * (x / sigma) ** 2));
  const sum = half.reduce((s, w) => s + 2 * w, -half[0]);
  return half.map((w) => w / sum);
}

/** Taps lighter than this, all together, move no value by a thousandth. */
const LIGHTEST = 2 ** -22;
let convolved = new Float64Array(0);

/** torchvision's GaussianBlur: `taps` by `taps` samples of the Gaussian, edges reflected, rounded once. */
export function gaussianBlur(image: PlanarImage, taps: number, sigma: number): void {
  const { data, channels, width, height } = image;
  const whole = gaussianKernel(taps, sigma);
  const kernel = whole.subarray(0, whole.findLastIndex((w) => w >= LIGHTEST) + 1);
  const plane = width * height;
  if (convolved.length < plane) convolved = new Float64Array(plane);
  const columns = reflected(width, kernel.length - 1);
  const rows = reflected(height, kernel.length - 1);
  for (let c = 0; c < channels; c++) {
    const pixels = data.subarray(c * plane, (c + 1) * plane);
    convolveRows(pixels, convolved, width, height, kernel, columns);
    convolveColumns(convolved, pixels, width, height, kernel, rows);
  }
}

/** Index into 0 .. size - 1 of the positions -reach .. size - 1 + reach, mirrored about the outermost pixels. */
function reflected(size: number, reach: number): Int32Array {
  const period = Math.max(1, 2 * (size - 1));
  return Int32Array.from({ length: size + 2 * reach }, (_, i) => {
    const at = (((i - reach) % period) + period) % period;
    return at < size ? at : period - at;
  });
}

let padded = new Float64Array(0);

function convolveRows(
  from: Uint8Array,
  to: Float64Array,
  width: number,
  height: number,
  kernel: Float64Array,
  columns: Int32Array,
): void {
  const reach = kernel.length - 1;
  if (padded.length < columns.length) padded = new Float64Array(columns.length);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let i = 0; i < columns.length; i++) padded[i] = from[row + columns[i]];
    for (let x = 0; x < width; x++) {
      let sum = kernel[0] * padded[x + reach];
      for (let k = 1; k <= reach; k++) sum += kernel[k] * (padded[x + reach - k] + padded[x + reach + k]);
      to[row + x] = sum;
    }
  }
}

let rowSums = new Float64Array(0);

function convolveColumns(
  from: Float64Array,
  to: Uint8Array,
  width: number,
  height: number,
  kernel: Float64Array,
  rows: Int32Array,
): void {
  const reach = kernel.length - 1;
  if (rowSums.length < width) rowSums = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const middle = y * width;
    for (let x = 0; x < width; x++) rowSums[x] = kernel[0] * from[middle + x];
    for (let k = 1; k <= reach; k++) {
      const weight = kernel[k];
      const above = rows[y + reach - k] * width;
      const below = rows[y + reach + k] * width;
      for (let x = 0; x < width; x++) rowSums[x] += weight * (from[above + x] + from[below + x]);
    }
    for (let x = 0; x < width; x++) to[middle + x] = rowSums[x] + 0.5;
  }
}
