import { type Random, shuffle } from "../random.ts";
import { corruption } from "./corruption.ts";
import type { Planes } from "./planes.ts";

/** Patches a side: 16 x 16 pixels each of an image of 224. Small images have fewer, of two pixels a side at least. */
const GRID = 14;

const gridOf = ({ width, height }: Planes, most: number): number =>
  Math.max(1, Math.min(most, Math.floor(Math.min(width, height) / 2)));

/** 0 .. count - 1 in a drawn order. */
const orderOf = (count: number, random: Random): Uint32Array =>
  shuffle(
    Uint32Array.from({ length: count }, (_, i) => i),
    random,
  );

/** Patches made black, drawn without regard to what they show. Settings: part of the 14 x 14. */
export const patchDrop = corruption(
  "patches",
  [0.1, 0.3, 0.5, 0.7, 0.9],
  (image, part, random) => {
    const { width, height, data } = image;
    const grid = gridOf(image, GRID);
    const dropped = new Set(orderOf(grid * grid, random).subarray(0, Math.round(part * grid * grid)));
    return {
      ...image,
      data: data.map((v, i) => {
        const row = Math.floor((((Math.floor(i / width) % height) + 0.5) * grid) / height);
        const column = Math.floor((((i % width) + 0.5) * grid) / width);
        return dropped.has(row * grid + column) ? 0 : v;
      }),
    };
  },
  (part) => `${Math.round(100 * part)} %`,
);

/** The image cut into n x n patches, put together in another order; what no patch reaches at the right and below stays. */
export const patchShuffle = corruption(
  "patches",
  [2, 4, 8, 14],
  (image, side, random) => {
    const { channels, width, height } = image;
    const grid = gridOf(image, side);
    const [w, h] = [Math.floor(width / grid), Math.floor(height / grid)];
    const order = orderOf(grid * grid, random);
    const data = image.data.slice();
    for (let patch = 0; patch < order.length; patch++) {
      const [to, from] = [patch, order[patch]].map((p) => Math.floor(p / grid) * h * width + (p % grid) * w);
      for (let c = 0; c < channels; c++)
        for (let y = 0; y < h; y++) {
          const row = (c * height + y) * width;
          data.set(image.data.subarray(row + from, row + from + w), row + to);
        }
    }
    return { ...image, data };
  },
  (side) => `${side} x ${side}`,
);
