import type { Rect } from "./resize.ts";

/** Eight-bit pixels, interleaved: `data[(y * width + x) * channels + c]`. */
export interface PixelImage {
  width: number;
  height: number;
  /** 3 (RGB) unless said otherwise; 1 is grey. */
  channels?: 1 | 3;
  data: Uint8Array;
  /** These are the pixels of a picture of this size from (x, y) on; absent: they are the whole picture. */
  within?: Rect;
}

/** The part of a picture of this size that is needed; undefined: all of it. */
export type PartOf = (width: number, height: number) => Rect | undefined;

/** Eight-bit RGB, HWC. */
export interface RgbImage extends PixelImage {
  channels?: 3;
}

/** ITU-R 601 luma in Pillow's fixed point: (19595 R + 38470 G + 7471 B + 2^15) / 2^16. */
export function toGrey(image: PixelImage): PixelImage {
  if (image.channels === 1) return image;
  const { width, height, data } = image;
  const grey = new Uint8Array(width * height);
  for (let i = 0, p = 0; i < grey.length; i++, p += 3) {
    grey[i] = (data[p] * 19595 + data[p + 1] * 38470 + data[p + 2] * 7471 + 0x8000) >> 16;
  }
  return { ...image, channels: 1, data: grey };
}

/** Grey, or RGB already -> RGB. */
export function toRgb(image: PixelImage): PixelImage {
  if (image.channels !== 1) return image;
  const { width, height, data } = image;
  const rgb = new Uint8Array(3 * width * height);
  for (let i = 0, p = 0; p < rgb.length; i++, p += 3) rgb[p] = rgb[p + 1] = rgb[p + 2] = data[i];
  return { ...image, channels: 3, data: rgb };
}

/** [C, H, W] -> [H, W, C]. */
export function toInterleaved(planar: Uint8Array, channels: number): Uint8Array {
  if (channels === 1) return planar;
  const plane = planar.length / channels;
  const out = new Uint8Array(planar.length);
  for (let c = 0; c < channels; c++) {
    for (let i = 0, p = c; i < plane; i++, p += channels) out[p] = planar[c * plane + i];
  }
  return out;
}

/** [H, W, C] -> [C, H, W]. */
export function toPlanar(image: PixelImage): Uint8Array {
  const { width, height, data, channels = 3 } = image;
  const plane = width * height;
  const out = new Uint8Array(channels * plane);
  for (let c = 0; c < channels; c++) {
    for (let i = 0, p = c; i < plane; i++, p += channels) out[c * plane + i] = data[p];
  }
  return out;
}
