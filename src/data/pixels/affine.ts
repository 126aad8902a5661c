import type { PlanarImage } from "../frame.ts";

/** Output pixel centre (x, y) shows the source at (a x + b y + c, d x + e y + f). */
export type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];
export type AffineFilter = "bilinear" | "bicubic";

/*
 * Pillow's Image.transform(size, AFFINE, matrix, filter) for an output of the image's size, to the bit: the same sums
 * in double precision in the same order, cut off to bytes. Taps beyond the edge are the edge's pixel, here from a
 * copy with two more pixels on every side. Where a row stays a row (shear and translation along x) or a column a
 * column, the other axis would interpolate at distance 0, which gives its own tap, and is left out.
 */

const PAD = 2;
const scratch = {
  padded: new Uint8Array(0),
  offset: new Int32Array(0),
  dx: new Float64Array(0),
  dy: new Float64Array(0),
};

/** Moves the image in place; pixels from outside become `fill` (a byte a channel). */
export function affine(image: PlanarImage, matrix: Affine, filter: AffineFilter, fill: readonly number[]): void {
  const { data, channels, width, height } = image;
  const [a, b, c, d, e, f] = matrix;
  const sides = { stride: width + 2 * PAD, plane: (width + 2 * PAD) * (height + 2 * PAD) };
  if (scratch.padded.length < channels * sides.plane) scratch.padded = new Uint8Array(channels * sides.plane);
  if (scratch.offset.length < width) {
    scratch.offset = new Int32Array(width);
    scratch.dx = new Float64Array(width);
    scratch.dy = new Float64Array(width);
  }
  pad(image, sides);
  const alongX = d === 0 && e === 1 && f === 0;
  const alongY = a === 1 && b === 0 && c === 0;
  const [one, both] = filter === "bicubic" ? [cubicRow, bicubicRow] : [linearRow, bilinearRow];
  for (let y = 0; y < height; y++) {
    const [from, to] = locate(matrix, y, width, height, sides.stride);
    for (let ch = 0; ch < channels; ch++) {
      const row = (ch * height + y) * width;
      data.fill(fill[ch], row, row + from);
      data.fill(fill[ch], row + to, row + width);
      const base = ch * sides.plane;
      if (alongX) one(data, row, from, to, base, scratch.dx, 1);
      else if (alongY) one(data, row, from, to, base, scratch.dy, sides.stride);
      else both(data, row, from, to, base, sides.stride);
    }
  }
}

/** The image's planes with their edges repeated, into the scratch copy. */
function pad({ data, channels, width, height }: PlanarImage, { stride, plane }: { stride: number; plane: number }) {
  const { padded } = scratch;
  for (let ch = 0; ch < channels; ch++) {
    for (let y = 0; y < height; y++) {
      const from = (ch * height + y) * width;
      const at = ch * plane + (y + PAD) * stride;
      padded.set(data.subarray(from, from + width), at + PAD);
      padded.fill(data[from], at, at + PAD);
      padded.fill(data[from + width - 1], at + PAD + width, at + stride);
    }
    const top = ch * plane + PAD * stride;
    const bottom = top + (height - 1) * stride;
    for (let k = 1; k <= PAD; k++) {
      padded.copyWithin(top - k * stride, top, top + stride);
      padded.copyWithin(bottom + k * stride, bottom, bottom + stride);
    }
  }
}

/**
 * Where the pixels of output row y come from: for those with a source inside the image, [from, to), the offset of
 * the tap above and to the left in a padded plane and the distances from it. A row's sources lie on a line, so they
 * are contiguous.
 */
function locate(matrix: Affine, y: number, width: number, height: number, stride: number): [from: number, to: number] {
  const [a, b, c, d, e, f] = matrix;
  const { offset, dx, dy } = scratch;
  const bY = b * (y + 0.5);
  const eY = e * (y + 0.5);
  let from = 0;
  let to = 0;
  for (let x = 0; x < width; x++) {
    const u = a * (x + 0.5) + bY + c;
    const v = d * (x + 0.5) + eY + f;
    if (!(u >= 0 && u < width && v >= 0 && v < height)) continue;
    if (to === 0) from = x;
    to = x + 1;
    const left = Math.floor(u - 0.5);
    const top = Math.floor(v - 0.5);
    offset[x] = (top + PAD) * stride + left + PAD;
    dx[x] = u - 0.5 - left;
    dy[x] = v - 0.5 - top;
  }
  return [from, to];
}

type OneAxis = (
  out: Uint8Array,
  row: number,
  from: number,
  to: number,
  base: number,
  distance: Float64Array,
  step: number,
) => void;
type BothAxes = (out: Uint8Array, row: number, from: number, to: number, base: number, stride: number) => void;

const linear = (p: number, q: number, d: number): number => p + (q - p) * d;

/** Cubic convolution (Keys) with a = -1, between q and r. */
const cubic = (p: number, q: number, r: number, s: number, d: number): number =>
  q + d * (-p + r + d * (2 * (p - q) + r - s + d * (-p + q - r + s)));

const byte = (v: number): number => (v <= 0 ? 0 : v >= 255 ? 255 : v | 0);

const linearRow: OneAxis = (out, row, from, to, base, distance, step) => {
  const { padded: s, offset } = scratch;
  for (let x = from; x < to; x++) {
    const o = base + offset[x];
    out[row + x] = linear(s[o], s[o + step], distance[x]) | 0;
  }
};

const bilinearRow: BothAxes = (out, row, from, to, base, stride) => {
  const { padded: s, offset, dx, dy } = scratch;
  for (let x = from; x < to; x++) {
    const o = base + offset[x];
    const upper = linear(s[o], s[o + 1], dx[x]);
    out[row + x] = linear(upper, linear(s[o + stride], s[o + stride + 1], dx[x]), dy[x]) | 0;
  }
};

const cubicRow: OneAxis = (out, row, from, to, base, distance, step) => {
  const { padded: s, offset } = scratch;
  for (let x = from; x < to; x++) {
    const o = base + offset[x];
    out[row + x] = byte(cubic(s[o - step], s[o], s[o + step], s[o + 2 * step], distance[x]));
  }
};

const bicubicRow: BothAxes = (out, row, from, to, base, stride) => {
  const { padded: s, offset, dx, dy } = scratch;
  for (let x = from; x < to; x++) {
    const d = dx[x];
    const o1 = base + offset[x];
    const o0 = o1 - stride;
    const o2 = o1 + stride;
    const o3 = o2 + stride;
    const v0 = cubic(s[o0 - 1], s[o0], s[o0 + 1], s[o0 + 2], d);
    const v1 = cubic(s[o1 - 1], s[o1], s[o1 + 1], s[o1 + 2], d);
    const v2 = cubic(s[o2 - 1], s[o2], s[o2 + 1], s[o2 + 2], d);
    const v3 = cubic(s[o3 - 1], s[o3], s[o3 + 1], s[o3 + 2], d);
    out[row + x] = byte(cubic(v0, v1, v2, v3, dy[x]));
  }
};

/** `factor` of the height per row and so on: the matrices that timm's operations pass. */
export const shearX = (factor: number): Affine => [1, factor, 0, 0, 1, 0];
export const shearY = (factor: number): Affine => [1, 0, 0, factor, 1, 0];
export const translateX = (pixels: number): Affine => [1, 0, pixels, 0, 1, 0];
export const translateY = (pixels: number): Affine => [1, 0, 0, 0, 1, pixels];

const fifteenDecimals = (v: number): number => Number(v.toFixed(15));

/** Image.rotate: counter-clockwise about the centre. */
export function rotation(degrees: number, width: number, height: number): Affine {
  const turn = degrees % 360;
  const angle = -((turn < 0 ? turn + 360 : turn) * (Math.PI / 180));
  const cos = fifteenDecimals(Math.cos(angle));
  const sin = fifteenDecimals(Math.sin(angle));
  const [x, y] = [width / 2, height / 2];
  return [cos, sin, cos * -x + sin * -y + 0 + x, -sin, cos, -sin * -x + cos * -y + 0 + y];
}
