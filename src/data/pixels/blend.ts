import type { PlanarImage } from "../frame.ts";
import { applyTables, tableOf } from "./levels.ts";

/*
 * Pillow's ImageEnhance: each is Image.blend of a degenerate image and the image, in single precision, cut off (not
 * rounded) to bytes. Factor 0 gives the degenerate image, 1 the image, more goes beyond it.
 */

const { fround } = Math;

/** a + factor (b - a) for bytes; `factor` in single precision. */
export function blendByte(a: number, b: number, factor: number): number {
  const mixed = fround(a + fround(factor * (b - a)));
  return mixed <= 0 ? 0 : mixed >= 255 ? 255 : mixed | 0;
}

/** Image.blend: `image` becomes from + factor (image - from). Both planar, of one size. */
export function blendInto(image: PlanarImage, from: Uint8Array, factor: number): void {
  const { data } = image;
  const single = fround(factor);
  for (let i = 0; i < data.length; i++) data[i] = blendByte(from[i], data[i], single);
}

/** Against black. */
export function brightness(image: PlanarImage, factor: number): void {
  const single = fround(factor);
  applyTables(image, [tableOf((v) => blendByte(0, v, single))]);
}

/** Against the mean of the luma. */
export function contrast(image: PlanarImage, factor: number): void {
  const single = fround(factor);
  const mean = meanLuma(image);
  applyTables(image, [tableOf((v) => blendByte(mean, v, single))]);
}

/** Against the luma; one channel stays as it is. */
export function color({ data, channels, width, height }: PlanarImage, factor: number): void {
  if (channels !== 3) return;
  const single = fround(factor);
  const plane = width * height;
  for (let r = 0, g = plane, b = 2 * plane; r < plane; r++, g++, b++) {
    const luma = lumaOf(data[r], data[g], data[b]);
    data[r] = blendByte(luma, data[r], single);
    data[g] = blendByte(luma, data[g], single);
    data[b] = blendByte(luma, data[b], single);
  }
}

/** Every channel the luma. */
export function grayscale({ data, channels, width, height }: PlanarImage): void {
  if (channels !== 3) return;
  const plane = width * height;
  for (let r = 0, g = plane, b = 2 * plane; r < plane; r++, g++, b++) {
    const luma = lumaOf(data[r], data[g], data[b]);
    data[r] = luma;
    data[g] = luma;
    data[b] = luma;
  }
}

let smoothed = new Uint8Array(0);

/** Against the image smoothed by (1 1 1; 1 5 1; 1 1 1) / 13; the border stays as it is. */
export function sharpness({ data, channels, width, height }: PlanarImage, factor: number): void {
  const single = fround(factor);
  const plane = width * height;
  if (smoothed.length < plane) smoothed = new Uint8Array(plane);
  const source = smoothed;
  for (let c = 0; c < channels; c++) {
    const at = c * plane;
    for (let i = 0; i < plane; i++) source[i] = data[at + i];
    for (let y = 1; y < height - 1; y++) {
      let p = y * width + 1;
      // Sums of columns of three, each used by three pixels.
      let left = source[p - width - 1] + source[p - 1] + source[p + width - 1];
      let middle = source[p - width] + source[p] + source[p + width];
      for (const end = p + width - 2; p < end; p++) {
        const right = source[p - width + 1] + source[p + 1] + source[p + width + 1];
        const v = source[p];
        // round(sum / 13), which is never a tie: Pillow's single precision gives the same.
        const smooth = ((2 * (left + middle + right + 4 * v) + 13) / 26) | 0;
        data[at + p] = blendByte(smooth, v, single);
        left = middle;
        middle = right;
      }
    }
  }
}

/** ITU-R 601 luma as in `toGrey`. */
const lumaOf = (r: number, g: number, b: number): number => (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;

/** Rounded mean of the luma. */
function meanLuma({ data, channels, width, height }: PlanarImage): number {
  const plane = width * height;
  let sum = 0;
  if (channels === 3) {
    for (let r = 0, g = plane, b = 2 * plane; r < plane; r++, g++, b++) sum += lumaOf(data[r], data[g], data[b]);
  } else for (let i = 0; i < plane; i++) sum += data[i];
  return Math.floor(sum / plane + 0.5);
}
