import type { PixelImage } from "../../data/image.ts";
import type { Size } from "../../nn/size.ts";
import { AMOUNT, balance, paint, SIGNED, stretch } from "../color.ts";
import type { Panel } from "../drawing.ts";
import type { Picture } from "../figure.ts";
import { type Html, html } from "../report/page.ts";

/** Numbers of a row that a page shows. */
const SHOWN = 12;

/** "[0.123, …]". */
export const numbers = (values: ArrayLike<number>): string => {
  const list = Array.from({ length: Math.min(SHOWN, values.length) }, (_, i) => values[i].toFixed(3));
  return `[${list.join(", ")}${values.length > SHOWN ? ", …" : ""}]`;
};

/** A name and its numbers. */
export const line = (label: string, values: ArrayLike<number>): Html =>
  html`<p><b>${label}</b> <code>${numbers(values)}</code></p>`;

/** Values of a strip's row. */
const ROW = 64;

/** A vector as a strip, blue below 0 and red above: rows of 64 values, or one row that is high enough to see. */
export function strip(values: ArrayLike<number>, columns = ROW): PixelImage {
  const rows = Math.ceil(values.length / columns);
  const high = rows === 1 ? 4 : 1;
  const shown = balance(values);
  const cells = Float32Array.from({ length: rows * high * columns }, (_, i) => {
    const at = Math.floor(i / (columns * high)) * columns + (i % columns);
    return shown[at] ?? 0.5;
  });
  return paint(cells, [rows * high, columns], SIGNED);
}

/** A vector as a strip with its title. */
export const stripPanel = (title: string, values: ArrayLike<number>, columns?: number): Panel => ({
  title,
  image: strip(values, columns),
  sharp: true,
});

/** A map of signed values, blue below 0 and red above. */
export const signedPanel = (title: string, values: ArrayLike<number>, size: Size): Panel => ({
  title,
  image: paint(balance(values), size, SIGNED),
  sharp: true,
});

/** A map of amounts, dark to bright. */
export const amountPanel = (title: string, values: ArrayLike<number>, size: Size): Panel => ({
  title,
  image: paint(stretch(values), size, AMOUNT),
  sharp: true,
});

/** A cell of a grid over the image. */
export interface Cell {
  readonly grid: Size;
  /** Row · columns + column. */
  readonly patch: number;
}

/** A cell with the pixels that it covers. */
export interface Patch extends Cell {
  /** Height and width in pixels. */
  readonly patchSize: Size;
}

export const rowColumn = ({ grid, patch }: Cell): Size => [Math.floor(patch / grid[1]), patch % grid[1]];

/** The pixels of a patch. */
export function cut({ width, data }: PixelImage, of: Patch): PixelImage {
  const [h, w] = of.patchSize;
  const [row, column] = rowColumn(of);
  const out = new Uint8Array(3 * h * w);
  for (let y = 0; y < h; y++) {
    const start = 3 * ((row * h + y) * width + column * w);
    out.set(data.subarray(start, start + 3 * w), 3 * y * w);
  }
  return { width: w, height: h, data: out };
}

/** The pixels of the patch as the model gets them, colour by colour: [C · h · w]. */
export function flattened({ input }: Picture, of: Patch, [channels, height, width]: readonly number[]): Float32Array {
  const [h, w] = of.patchSize;
  const [row, column] = rowColumn(of);
  const out = new Float32Array(channels * h * w);
  for (let c = 0, i = 0; c < channels; c++)
    for (let y = 0; y < h; y++)
      for (let x = 0; x < w; x++) out[i++] = input[(c * height + row * h + y) * width + column * w + x];
  return out;
}

/** One colour of a picture, the others black. */
export const plane = ({ width, height, data }: PixelImage, c: number): PixelImage => ({
  width,
  height,
  data: data.map((v, i) => (i % 3 === c ? v : 0)),
});

const RED = [230, 30, 30] as const;
const WHITE = [255, 255, 255] as const;
const AMBER = [255, 176, 0] as const;
const BLACK = [0, 0, 0] as const;

type Color = readonly [number, number, number];

/** What is marked on a grid over a picture. */
export interface Marks {
  readonly grid: Size;
  /** Lines are drawn between cells of different regions; those of region `own` are outlined. */
  readonly region?: (row: number, column: number) => number;
  readonly own?: number;
  readonly outline?: Color;
  /** Cells that are filled. */
  readonly filled?: ReadonlyMap<number, Color>;
}

/** The smallest side in pixels at which lines between cells can be seen. */
const SIDE = 336;

/** A picture enlarged to whole pixels with marks on a grid. */
export function marked(pixels: PixelImage, { grid, region, own, outline = RED, filled }: Marks): PixelImage {
  const scale = Math.max(1, Math.round(SIDE / pixels.width));
  const [width, height] = [pixels.width * scale, pixels.height * scale];
  const [h, w] = [height / grid[0], width / grid[1]];
  const thick = Math.max(1, Math.min(3, w / 8));
  const data = new Uint8Array(3 * width * height);
  const regionAt = (row: number, column: number): number =>
    row < 0 || column < 0 || row >= grid[0] || column >= grid[1] ? -1 : (region?.(row, column) ?? 0);
  /** The line that the pixel is part of: within `far` of a border to another region. */
  const lineAt = (y: number, x: number, far: number): boolean => {
    const [row, column] = [Math.floor(y / h), Math.floor(x / w)];
    const mine = regionAt(row, column);
    const near = [y - row * h < far ? -1 : 0, (row + 1) * h - y <= far ? 1 : 0];
    const beside = [x - column * w < far ? -1 : 0, (column + 1) * w - x <= far ? 1 : 0];
    return (
      near.some((d) => d !== 0 && regionAt(row + d, column) !== mine) ||
      beside.some((d) => d !== 0 && regionAt(row, column + d) !== mine)
    );
  };
  const colorAt = (y: number, x: number): Color | undefined => {
    const [row, column] = [Math.floor(y / h), Math.floor(x / w)];
    const fill = filled?.get(row * grid[1] + column);
    if (fill || !region) return fill;
    if (regionAt(row, column) === own) return lineAt(y, x, thick) ? outline : undefined;
    return lineAt(y, x, 0.5) ? WHITE : undefined;
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const from = 3 * (Math.floor(y / scale) * pixels.width + Math.floor(x / scale));
      data.set(colorAt(y, x) ?? pixels.data.subarray(from, from + 3), 3 * (y * width + x));
    }
  return { width, height, data };
}

/** The image with lines between the cells of a grid, the followed one framed. */
export const gridded = ({ pixels }: Picture, { grid, patch }: Cell): PixelImage =>
  marked(pixels, { grid, region: (row, column) => row * grid[1] + column, own: patch });

/** Colours of the followed cell, of others, and of a cell of a coloured table. */
export const COLORS = { followed: RED, other: AMBER, cell: BLACK } as const;

/** softmax(x) in doubles. */
export function softmax(values: ArrayLike<number>): number[] {
  const list = Array.from(values);
  const most = Math.max(...list);
  const powers = list.map((v) => Math.exp(v - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((p) => p / sum);
}

/** A query [d] and the keys [L, d] that it asks. */
interface Asked {
  readonly q: Float32Array;
  readonly k: Float32Array;
}

/** q · k of the query with every key. */
export function scoresOf({ q, k }: Asked): number[] {
  const d = q.length;
  return Array.from({ length: k.length / d }, (_, i) => q.reduce((sum, v, c) => sum + v * k[i * d + c], 0));
}

/** The same divided by √d. */
export const scaledScores = (of: Asked): number[] => scoresOf(of).map((s) => s / Math.sqrt(of.q.length));

/** Σ shares · values of [L, d]: [d]. */
export function weightedSum(shares: readonly number[], v: Float32Array): Float32Array {
  const d = v.length / shares.length;
  return Float32Array.from({ length: d }, (_, c) => shares.reduce((sum, s, i) => sum + s * v[i * d + c], 0));
}

/** Cosines of the row at `own` of [L, D] with all rows. */
export function cosines(table: Float32Array, dim: number, own: number): Float32Array {
  const row = (i: number) => table.subarray(i * dim, (i + 1) * dim);
  const mine = row(own);
  return Float32Array.from({ length: table.length / dim }, (_, i) => {
    const other = row(i);
    const dot = mine.reduce((sum, v, k) => sum + v * other[k], 0);
    return dot / (Math.hypot(...mine) * Math.hypot(...other) || 1);
  });
}

/** A channel of maps [C, H, W]. */
export const channelOf = (maps: Float32Array, c: number, [h, w]: Size): Float32Array =>
  maps.subarray(c * h * w, (c + 1) * h * w);

/** All channels at one place of maps [C, H, W]. */
export function atPlace(maps: Float32Array, { grid: [h, w], patch }: Cell): Float32Array {
  const places = h * w;
  return Float32Array.from({ length: maps.length / places }, (_, c) => maps[c * places + patch]);
}

/** Maps [C, H, W] as rows [H·W, C]. */
export function rowsOf(maps: Float32Array, [h, w]: Size): Float32Array {
  const [places, channels] = [h * w, maps.length / (h * w)];
  const out = new Float32Array(maps.length);
  for (let c = 0; c < channels; c++) for (let p = 0; p < places; p++) out[p * channels + c] = maps[c * places + p];
  return out;
}

/** The channel of maps [C, H, W] that differs most from place to place. */
export function liveliest(maps: Float32Array, size: Size): number {
  const channels = maps.length / (size[0] * size[1]);
  let [best, most] = [0, -1];
  for (let c = 0; c < channels; c++) {
    const map = channelOf(maps, c, size);
    const mean = map.reduce((a, b) => a + b, 0) / map.length;
    const spread = map.reduce((sum, v) => sum + (v - mean) ** 2, 0);
    if (spread > most) [best, most] = [c, spread];
  }
  return best;
}

/** At most `most` of the numbers below `count`, evenly, the last among them. */
export const everyOf = (count: number, most: number): number[] => {
  const step = Math.ceil(count / most);
  return Array.from({ length: count }, (_, i) => i).filter((i) => i % step === 0 || i === count - 1);
};

/** Rows [H·W, C] as maps [C, H, W]. */
export function mapsOfRows(rows: Float32Array, [h, w]: Size): Float32Array {
  const channels = rows.length / (h * w);
  return rowsOf(rows, [1, channels]);
}

/** The most uneven channel of maps [C, H, W]. */
export function mapPanel(title: string, maps: Float32Array, size: Size, words: { readonly channel: string }): Panel {
  const channel = liveliest(maps, size);
  const name = `${title}: ${size.join(" × ")}, ${words.channel} ${channel}`;
  return signedPanel(name, channelOf(maps, channel, size), size);
}

/** The same of each stage. */
export const stagePanels = (
  stages: readonly { readonly size: Size; readonly maps: Float32Array }[],
  words: { readonly stage: string; readonly channel: string },
): Panel[] => stages.map(({ size, maps }, i) => mapPanel(`${words.stage} ${i + 1}`, maps, size, words));
