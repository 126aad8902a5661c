import type { PlanarImage } from "../frame.ts";

/** Planes [C, H, W] of values that an image has in [0, 1]. */
export interface Planes {
  readonly data: Float64Array;
  readonly channels: number;
  readonly width: number;
  readonly height: number;
}

/** The published constants are of images with this side; lengths in pixels shrink and grow with the image's. */
const PUBLISHED_SIDE = 224;

/** Pixels of this image for one of the published. */
export const pixelScale = ({ width, height }: Planes): number => Math.min(width, height) / PUBLISHED_SIDE;

export const fromBytes = ({ data, channels, width, height }: PlanarImage): Planes => ({
  data: Float64Array.from(data, (v) => v / 255),
  channels,
  width,
  height,
});

/** Cut to [0, 1] and rounded. */
export const toBytes = ({ data, channels, width, height }: Planes): PlanarImage => ({
  data: Uint8Array.from(data, (v) => Math.round(255 * Math.max(0, Math.min(1, v)))),
  channels,
  width,
  height,
});

/** A value for each value; `at` counts over [C, H, W]. */
export const mapped = (image: Planes, value: (v: number, at: number) => number): Planes => ({
  ...image,
  data: image.data.map(value),
});

/** Place of i in 0 .. n - 1 where the edges are mirrors: ... 1 0 | 0 1 ... n-1 | n-1 n-2 ... */
export function mirrored(i: number, n: number): number {
  const at = ((i % (2 * n)) + 2 * n) % (2 * n);
  return at < n ? at : 2 * n - 1 - at;
}

/** A plane with `reach` mirrored pixels on every side. */
function padded(plane: Float64Array, width: number, height: number, reach: number): Float64Array {
  const across = width + 2 * reach;
  const columns = Int32Array.from({ length: across }, (_, x) => mirrored(x - reach, width));
  const out = new Float64Array(across * (height + 2 * reach));
  for (let y = 0; y < height + 2 * reach; y++) {
    const row = mirrored(y - reach, height) * width;
    for (let x = 0; x < across; x++) out[y * across + x] = plane[row + columns[x]];
  }
  return out;
}

/** A weight of a kernel, for the pixel (x, y) away. */
export interface Tap {
  readonly x: number;
  readonly y: number;
  readonly weight: number;
}

/** Σ weight · image(p + tap) at every pixel p, edges mirrored. */
export function convolve(image: Planes, taps: readonly Tap[]): Planes {
  const { data, channels, width, height } = image;
  const reach = taps.reduce((most, { x, y }) => Math.max(most, Math.abs(x), Math.abs(y)), 0);
  const plane = width * height;
  const across = width + 2 * reach;
  const out = new Float64Array(data.length);
  for (let c = 0; c < channels; c++) {
    const source = padded(data.subarray(c * plane, (c + 1) * plane), width, height, reach);
    const target = out.subarray(c * plane, (c + 1) * plane);
    for (const { x, y, weight } of taps) {
      for (let r = 0; r < height; r++) {
        const from = (r + reach + y) * across + reach + x;
        const to = r * width;
        for (let i = 0; i < width; i++) target[to + i] += weight * source[from + i];
      }
    }
  }
  return { ...image, data: out };
}

/** Standard deviations after which a Gaussian is cut. */
const TRUNCATE = 4;

/** Weights [n, n] of a Gaussian along an axis of n pixels with mirrored edges: row i has what each pixel gives to i. */
function gaussianWeights(n: number, sigma: number): Float64Array {
  const reach = Math.max(1, Math.round(TRUNCATE * sigma));
  const kernel = Float64Array.from({ length: 2 * reach + 1 }, (_, k) => Math.exp(-0.5 * ((k - reach) / sigma) ** 2));
  const sum = kernel.reduce((a, b) => a + b, 0);
  const weights = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let k = 0; k <= 2 * reach; k++) weights[i * n + mirrored(i + k - reach, n)] += kernel[k] / sum;
  return weights;
}

/** Gaussian blur of `sigma` pixels, edges mirrored. */
export function gaussian(image: Planes, sigma: number): Planes {
  if (sigma <= 0) return image;
  const { data, channels, width, height } = image;
  const reach = Math.max(1, Math.round(TRUNCATE * sigma));
  const [rows, columns] = [gaussianWeights(height, sigma), gaussianWeights(width, sigma)];
  const out = new Float64Array(data.length);
  const between = new Float64Array(width * height);
  for (let c = 0; c < channels; c++) {
    const base = c * width * height;
    between.fill(0);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = Math.max(0, x - reach); k <= Math.min(width - 1, x + reach); k++)
          sum += columns[x * width + k] * data[base + y * width + k];
        between[y * width + x] = sum;
      }
    for (let y = 0; y < height; y++)
      for (let k = Math.max(0, y - reach); k <= Math.min(height - 1, y + reach); k++) {
        const weight = rows[y * height + k];
        for (let x = 0; x < width; x++) out[base + y * width + x] += weight * between[k * width + x];
      }
  }
  return { ...image, data: out };
}

/** A plane's value between pixels' centres (x, y), edges mirrored. */
export function between(plane: Float64Array, width: number, height: number, x: number, y: number): number {
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [dx, dy] = [x - left, y - top];
  const [x0, x1] = [mirrored(left, width), mirrored(left + 1, width)];
  const [y0, y1] = [mirrored(top, height) * width, mirrored(top + 1, height) * width];
  const above = plane[y0 + x0] * (1 - dx) + plane[y0 + x1] * dx;
  return above * (1 - dy) + (plane[y1 + x0] * (1 - dx) + plane[y1 + x1] * dx) * dy;
}

/** Each pixel taken from where `source` says it comes from, in pixels, bilinearly. */
export function warped(image: Planes, source: (x: number, y: number) => readonly [x: number, y: number]): Planes {
  const { data, channels, width, height } = image;
  const out = new Float64Array(data.length);
  const plane = width * height;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [u, v] = source(x, y);
      for (let c = 0; c < channels; c++)
        out[c * plane + y * width + x] = between(data.subarray(c * plane, (c + 1) * plane), width, height, u, v);
    }
  return { ...image, data: out };
}

/** Enlarged about the centre, cut to its size. */
export function zoomed(image: Planes, factor: number): Planes {
  const [cx, cy] = [(image.width - 1) / 2, (image.height - 1) / 2];
  return warped(image, (x, y) => [cx + (x - cx) / factor, cy + (y - cy) / factor]);
}

/** Halves go down; -0 is 0. */
const step = (v: number): number => Math.ceil(v - 0.5) + 0;

/** Taps of a trail in direction `angle` (radians): half a Gaussian of `sigma` over `2 ⌈radius⌉ + 1` steps, as ImageMagick's motion blur. */
export function motionTaps(radius: number, sigma: number, angle: number): Tap[] {
  const width = 2 * Math.ceil(radius) + 1;
  const weights = Array.from({ length: width }, (_, i) => Math.exp(-0.5 * (i / sigma) ** 2));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w, i) => ({
    x: step(i * Math.cos(angle)),
    y: step(i * Math.sin(angle)),
    weight: w / sum,
  }));
}
