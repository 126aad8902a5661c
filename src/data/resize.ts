import { TesseraeError } from "../errors.ts";
import type { PixelImage } from "./image.ts";
import { simdPasses } from "./resize-simd.ts";
import { type AxisWeights, axisWeights, HALF, PRECISION_BITS, type ResizeFilter } from "./resize-weights.ts";

export type { ResizeFilter } from "./resize-weights.ts";

export interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface ResizeOptions {
  /** Size of the whole result, of which `window` is a part. */
  width: number;
  height: number;
  /** Default bicubic. */
  filter?: ResizeFilter;
  /** Part of the source that is stretched over the result; may be fractional. Default: all of it. */
  box?: Rect;
  /** True: taps stop at the edge of an integer `box`, as crop() then resize(). False: as Pillow's resize(box=...). */
  clip?: boolean;
  /** Part of the result to compute, integer; what lies outside the result is `fill`. Default: all of it. */
  window?: Rect;
  /** Mirrors the window left to right. */
  flip?: boolean;
  /** Default 0. */
  fill?: number;
  /** True: without WebAssembly, for comparison; the result is the same. */
  scalar?: boolean;
}

/** Scratch for the rows between the two passes, grown as needed; a resize never yields, so one is enough. */
let scratch = new Uint8ClampedArray(0);

function scratchOf(length: number): Uint8ClampedArray {
  if (scratch.length < length) scratch = new Uint8ClampedArray(Math.ceil(length * 1.25));
  return scratch;
}

interface Pass {
  source: Uint8Array;
  channels: number;
  /** Of source: elements between rows. */
  stride: number;
}

/** Horizontal pass over `rows` source rows from byte `offset`: columns x0 .. x1-1 of the axis -> scratch [rows, x1-x0, C]. */
function horizontal(pass: Pass, offset: number, rows: number, axis: AxisWeights, x0: number, x1: number) {
  const { source, channels, stride } = pass;
  const { taps, starts, counts, weights } = axis;
  const out = scratchOf(rows * (x1 - x0) * channels);
  let q = 0;
  for (let y = 0; y < rows; y++) {
    const line = offset + y * stride;
    if (channels === 3) {
      for (let x = x0; x < x1; x++) {
        let p = line + starts[x] * 3;
        let k = x * taps;
        const end = k + counts[x];
        let r = HALF;
        let g = HALF;
        let b = HALF;
        for (; k < end; k++) {
          const w = weights[k];
          r = (r + Math.imul(w, source[p])) | 0;
          g = (g + Math.imul(w, source[p + 1])) | 0;
          b = (b + Math.imul(w, source[p + 2])) | 0;
          p += 3;
        }
        out[q] = r >> PRECISION_BITS;
        out[q + 1] = g >> PRECISION_BITS;
        out[q + 2] = b >> PRECISION_BITS;
        q += 3;
      }
    } else {
      for (let x = x0; x < x1; x++) {
        let p = line + starts[x];
        let k = x * taps;
        const end = k + counts[x];
        let v = HALF;
        for (; k < end; k++) v = (v + Math.imul(weights[k], source[p++])) | 0;
        out[q++] = v >> PRECISION_BITS;
      }
    }
  }
  return out;
}

/**
 * Vertical pass: rows y0 .. y1-1 of the axis over columns of `source` -> planar `out`. `offset` is the byte of source
 * row `firstRow`, first column; `at` the first element written; `step` +1, or -1 to mirror.
 */
function vertical(
  pass: { source: Uint8Array | Uint8ClampedArray; channels: number; stride: number },
  offset: number,
  firstRow: number,
  columns: number,
  axis: AxisWeights,
  y0: number,
  y1: number,
  out: Uint8ClampedArray,
  at: number,
  outStride: number,
  plane: number,
  step: number,
) {
  const { source, channels, stride } = pass;
  const { taps, starts, counts, weights } = axis;
  const plane2 = plane * 2;
  for (let y = y0; y < y1; y++, at += outStride) {
    let column = offset + (starts[y] - firstRow) * stride;
    const from = y * taps;
    const end = from + counts[y];
    let q = at;
    if (channels === 3) {
      for (let x = 0; x < columns; x++) {
        let p = column;
        let r = HALF;
        let g = HALF;
        let b = HALF;
        for (let k = from; k < end; k++) {
          const w = weights[k];
          r = (r + Math.imul(w, source[p])) | 0;
          g = (g + Math.imul(w, source[p + 1])) | 0;
          b = (b + Math.imul(w, source[p + 2])) | 0;
          p += stride;
        }
        out[q] = r >> PRECISION_BITS;
        out[q + plane] = g >> PRECISION_BITS;
        out[q + plane2] = b >> PRECISION_BITS;
        q += step;
        column += 3;
      }
    } else {
      for (let x = 0; x < columns; x++) {
        let p = column++;
        let v = HALF;
        for (let k = from; k < end; k++) {
          v = (v + Math.imul(weights[k], source[p])) | 0;
          p += stride;
        }
        out[q] = v >> PRECISION_BITS;
        q += step;
      }
    }
  }
}

/** Rows and columns of `source` as they are -> planar `out`. */
function copyPlanar(
  { source, channels, stride }: Pass,
  offset: number,
  rows: number,
  columns: number,
  out: Uint8ClampedArray,
  at: number,
  outStride: number,
  plane: number,
  step: number,
) {
  for (let y = 0; y < rows; y++) {
    let p = offset + y * stride;
    let q = at + y * outStride;
    if (channels === 3) {
      for (let x = 0; x < columns; x++) {
        out[q] = source[p];
        out[q + plane] = source[p + 1];
        out[q + 2 * plane] = source[p + 2];
        p += 3;
        q += step;
      }
    } else {
      for (let x = 0; x < columns; x++) {
        out[q] = source[p++];
        q += step;
      }
    }
  }
}

function checkBox(box: Rect, width: number, height: number): void {
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  if (!inside || !(box.width > 0) || !(box.height > 0)) {
    const text = `(${box.x}, ${box.y}, ${box.width}, ${box.height})`;
    throw new TesseraeError("data", `the box ${text} is not within the image of ${width} by ${height}`);
  }
}

/**
 * Antialiased resizing in 8-bit fixed point, Pillow's to the bit: two passes, horizontal then vertical, each rounded
 * to 8 bits, the kernel stretched by the factor of reduction. Writes the window as planar [C, H, W] into `out`
 * (default: a new array) and returns it.
 */
export function resizePlanar(image: PixelImage, options: ResizeOptions, out?: Uint8Array): Uint8Array {
  const { data, channels = 3 } = image;
  const { width, height, filter = "bicubic", clip = false, flip = false, fill = 0 } = options;
  const whole = options.box ?? { x: 0, y: 0, width: image.width, height: image.height };
  checkBox(whole, image.width, image.height);
  const window = options.window ?? { x: 0, y: 0, width, height };
  const plane = window.width * window.height;
  out ??= new Uint8Array(channels * plane);
  if (out.length !== channels * plane || data.length < image.width * image.height * channels) {
    throw new TesseraeError("internal", `resize: ${out.length} bytes for ${channels} planes of ${plane}`);
  }

  // The window's part that lies on the result: columns x0 .. x1-1, rows y0 .. y1-1.
  const x0 = Math.max(0, window.x);
  const y0 = Math.max(0, window.y);
  const x1 = Math.min(width, window.x + window.width);
  const y1 = Math.min(height, window.y + window.height);
  if (x1 - x0 < window.width || y1 - y0 < window.height) out.fill(fill);
  if (x1 <= x0 || y1 <= y0) return out;
  const target = new Uint8ClampedArray(out.buffer, out.byteOffset, out.length);
  const step = flip ? -1 : 1;
  const column = x0 - window.x;
  const at = (y0 - window.y) * window.width + (flip ? window.width - 1 - column : column);

  // With `clip` the source is the box alone: a view with its own origin and edges.
  const stride = image.width * channels;
  const pass: Pass = { source: data, channels, stride };
  const origin = clip ? whole.y * stride + whole.x * channels : 0;
  const srcWidth = clip ? whole.width : image.width;
  const srcHeight = clip ? whole.height : image.height;
  // Pillow keeps the box in single precision.
  const left = clip ? 0 : Math.fround(whole.x);
  const top = clip ? 0 : Math.fround(whole.y);
  const right = clip ? whole.width : Math.fround(whole.x + whole.width);
  const bottom = clip ? whole.height : Math.fround(whole.y + whole.height);

  // A box of the result's size on whole pixels asks for no arithmetic along that axis.
  const plainX = right - left === width && Number.isInteger(left);
  const plainY = bottom - top === height && Number.isInteger(top);
  if (plainX && plainY) {
    const offset = origin + (top + y0) * stride + (left + x0) * channels;
    copyPlanar(pass, offset, y1 - y0, x1 - x0, target, at, window.width, plane, step);
    return out;
  }
  const vAxis = axisWeights(srcHeight, top, bottom, height, plainY ? "nearest" : filter);
  if (plainX) {
    const offset = origin + (left + x0) * channels;
    vertical(pass, offset, 0, x1 - x0, vAxis, y0, y1, target, at, window.width, plane, step);
    return out;
  }
  const hAxis = axisWeights(srcWidth, left, right, width, filter);
  const firstRow = vAxis.starts[y0];
  const rows = vAxis.starts[y1 - 1] + vAxis.counts[y1 - 1] - firstRow;
  if (channels === 3 && !options.scalar) {
    const lines = data.subarray(origin + firstRow * stride, origin + (firstRow + rows - 1) * stride + srcWidth * 3);
    const pixels = simdPasses(
      lines,
      stride,
      rows,
      firstRow,
      { axis: hAxis, from: x0, to: x1 },
      { axis: vAxis, from: y0, to: y1 },
    );
    if (pixels) {
      const from = { source: pixels, channels, stride: (x1 - x0) * channels };
      copyPlanar(from, 0, y1 - y0, x1 - x0, target, at, window.width, plane, step);
      return out;
    }
  }
  const between = horizontal(pass, origin + firstRow * stride, rows, hAxis, x0, x1);
  const middle = { source: between, channels, stride: (x1 - x0) * channels };
  vertical(middle, 0, firstRow, x1 - x0, vAxis, y0, y1, target, at, window.width, plane, step);
  return out;
}

/** As `resizePlanar`, but interleaved: an image for an image. */
export function resize(image: PixelImage, options: ResizeOptions): PixelImage {
  const channels = image.channels ?? 3;
  const { width, height } = options.window ?? options;
  const planar = resizePlanar(image, options);
  if (channels === 1) return { width, height, channels, data: planar };
  const plane = width * height;
  const data = new Uint8Array(3 * plane);
  for (let i = 0, p = 0; i < plane; i++, p += 3) {
    data[p] = planar[i];
    data[p + 1] = planar[plane + i];
    data[p + 2] = planar[2 * plane + i];
  }
  return { width, height, channels, data };
}

/** Round half to even, as Python's and torchvision's `round`. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** torchvision's Resize(size): the short side becomes `size`, the long one int(size * long / short). */
export function shortSideSize(width: number, height: number, size: number): { width: number; height: number } {
  return width <= height
    ? { width: size, height: Math.max(1, Math.trunc((size * height) / width)) }
    : { width: Math.max(1, Math.trunc((size * width) / height)), height: size };
}

/** torchvision's CenterCrop as a window (it may reach past the image, where CenterCrop pads with 0). */
export function centerWindow(width: number, height: number, cropWidth: number, cropHeight: number): Rect {
  return { x: centre(width, cropWidth), y: centre(height, cropHeight), width: cropWidth, height: cropHeight };
}

function centre(size: number, crop: number): number {
  return crop > size ? -Math.floor((crop - size) / 2) : roundHalfEven((size - crop) / 2);
}

export function centerCrop(image: PixelImage, width: number, height: number): PixelImage {
  const { width: w, height: h } = image;
  return resize(image, { width: w, height: h, window: centerWindow(w, h, width, height) });
}

export function resizeShortSide(image: PixelImage, size: number, filter: ResizeFilter = "bicubic"): PixelImage {
  return resize(image, { ...shortSideSize(image.width, image.height, size), filter });
}
