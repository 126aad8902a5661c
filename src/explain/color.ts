import {
  interpolateRainbow,
  interpolateRdBu,
  interpolateTurbo,
  interpolateViridis,
  schemeTableau10,
} from "d3-scale-chromatic";
import type { PixelImage } from "../data/image.ts";
import type { Size } from "../nn/size.ts";

/** Colours of [0, 1], [r, g, b] in 256 steps. */
export type Scale = Uint8Array;

function scaleOf(interpolate: (t: number) => string): Scale {
  const out = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) out.set(parseColor(interpolate(i / 255)), 3 * i);
  return out;
}

/** "rgb(1, 2, 3)" or "#010203". */
function parseColor(text: string): number[] {
  if (text.startsWith("#")) return [1, 3, 5].map((i) => Number.parseInt(text.slice(i, i + 2), 16));
  return (text.match(/\d+/g) ?? []).slice(0, 3).map(Number);
}

/** Amounts, dark to light. */
export const AMOUNT = scaleOf(interpolateViridis);
/** Heat over an image. */
export const HEAT = scaleOf(interpolateTurbo);
/** Signed: blue below the middle, red above. */
export const SIGNED = scaleOf((t) => interpolateRdBu(1 - t));

/** A colour each for groups of things, as SVG takes them: ten that are told apart well, of more a circle of hues. */
export const groupColors = (count: number): string[] =>
  count <= schemeTableau10.length
    ? schemeTableau10.slice(0, count)
    : Array.from({ length: count }, (_, i) => interpolateRainbow(i / count));

/** Values in [0, 1] as colours. */
export function paint(values: ArrayLike<number>, [height, width]: Size, scale: Scale): PixelImage {
  const data = new Uint8Array(3 * height * width);
  for (let i = 0; i < height * width; i++) {
    const v = Math.max(0, Math.min(255, Math.round(255 * values[i])));
    data.set(scale.subarray(3 * v, 3 * v + 3), 3 * i);
  }
  return { width, height, data };
}

/** To [0, 1] by their least and largest; all 0 where they are equal. */
export function stretch(values: ArrayLike<number>): Float32Array {
  const [low, high] = extent(values);
  const scale = high > low ? 1 / (high - low) : 0;
  return Float32Array.from(values, (v) => (v - low) * scale);
}

/** Signed values to [0, 1], 0 in the middle. */
export function balance(values: ArrayLike<number>): Float32Array {
  const [low, high] = extent(values);
  const most = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return Float32Array.from(values, (v) => 0.5 + (0.5 * v) / most);
}

export function extent(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  return [low, high];
}

/** A map enlarged bilinearly, pixels' centres aligned. */
export function enlarge(values: ArrayLike<number>, [h, w]: Size, [height, width]: Size): Float32Array {
  const out = new Float32Array(height * width);
  for (let y = 0; y < height; y++) {
    const fy = Math.min(h - 1, Math.max(0, ((y + 0.5) * h) / height - 0.5));
    const [top, dy] = [Math.floor(fy), fy - Math.floor(fy)];
    const bottom = Math.min(h - 1, top + 1);
    for (let x = 0; x < width; x++) {
      const fx = Math.min(w - 1, Math.max(0, ((x + 0.5) * w) / width - 0.5));
      const [left, dx] = [Math.floor(fx), fx - Math.floor(fx)];
      const right = Math.min(w - 1, left + 1);
      const above = values[top * w + left] * (1 - dx) + values[top * w + right] * dx;
      const below = values[bottom * w + left] * (1 - dx) + values[bottom * w + right] * dx;
      out[y * width + x] = above * (1 - dy) + below * dy;
    }
  }
  return out;
}

/** Values beyond the quantile (a part of 1) of their size cut there, so that a few do not hide the rest. */
export function robust(values: ArrayLike<number>, part = 0.99): Float32Array {
  const sizes = Float32Array.from(values, Math.abs).sort();
  const most = sizes[Math.floor(part * (sizes.length - 1))];
  return Float32Array.from(values, (v) => (most > 0 ? Math.max(-most, Math.min(most, v)) : v));
}

/** A map of values over an image, stretched to [0, 1]: 0 leaves three quarters of the image, 1 hides 70 % of it. */
export function overlay(image: PixelImage, values: ArrayLike<number>, size: Size): PixelImage {
  const heat = enlarge(stretch(robust(values)), size, [image.height, image.width]);
  const colors = paint(heat, [image.height, image.width], HEAT);
  const data = Uint8Array.from(image.data, (v, i) => {
    const share = 0.25 + 0.45 * heat[Math.floor(i / 3)];
    return Math.round(v * (1 - share) + colors.data[i] * share);
  });
  return { width: image.width, height: image.height, data };
}

/** Pictures of one size side by side in rows, a pixel of `gap` between. */
export function mosaic(tiles: readonly PixelImage[], columns: number, gap = 1, background = 255): PixelImage {
  const [{ width: w, height: h }] = tiles;
  const rows = Math.ceil(tiles.length / columns);
  const [width, height] = [columns * (w + gap) - gap, rows * (h + gap) - gap];
  const data = new Uint8Array(3 * width * height).fill(background);
  tiles.forEach((tile, i) => {
    const [x, y] = [(i % columns) * (w + gap), Math.floor(i / columns) * (h + gap)];
    for (let r = 0; r < h; r++) data.set(tile.data.subarray(3 * r * w, 3 * (r + 1) * w), 3 * ((y + r) * width + x));
  });
  return { width, height, data };
}
