import type { PlanarImage } from "../frame.ts";

/*
 * Operations that map each value on its own: one pass over tables of 256 entries, one for all channels or one a
 * channel. All give Pillow's bytes (ImageOps; solarizeAdd: timm).
 */

/** The table of a function of a byte; results are cut to 0 .. 255. */
export const tableOf = (value: (v: number) => number): Uint8Array =>
  Uint8Array.from({ length: 256 }, (_, v) => Math.max(0, Math.min(255, value(v))));

/** Rewrites the pixels by one table, or by a table a channel (undefined: that channel stays). */
export function applyTables(image: PlanarImage, tables: readonly (Uint8Array | undefined)[]): void {
  const { data, channels, width, height } = image;
  const plane = width * height;
  for (let c = 0; c < channels; c++) {
    const table = tables[tables.length === 1 ? 0 : c];
    if (!table) continue;
    for (let i = c * plane, end = i + plane; i < end; i++) data[i] = table[data[i]];
  }
}

const INVERT = tableOf((v) => 255 - v);

export function invert(image: PlanarImage): void {
  applyTables(image, [INVERT]);
}

/** Values from `threshold` on are inverted. */
export function solarize(image: PlanarImage, threshold: number): void {
  applyTables(image, [tableOf((v) => (v < threshold ? v : 255 - v))]);
}

/** Values below 128 get `add` more. */
export function solarizeAdd(image: PlanarImage, add: number): void {
  applyTables(image, [tableOf((v) => (v < 128 ? v + add : v))]);
}

/** Keeps the upper `bits`; none or less give black, as in Pillow before it refused them. */
export function posterize(image: PlanarImage, bits: number): void {
  if (bits >= 8) return;
  const mask = bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff;
  applyTables(image, [tableOf((v) => v & mask)]);
}

/** Stretches each channel to 0 .. 255. */
export function autoContrast(image: PlanarImage): void {
  applyTables(image, histograms(image).map(stretchTable));
}

/** Evens out each channel's histogram. */
export function equalize(image: PlanarImage): void {
  applyTables(image, histograms(image).map(equalizeTable));
}

/** [C][256]: counts of each value. */
function histograms({ data, channels, width, height }: PlanarImage): Int32Array[] {
  const plane = width * height;
  return Array.from({ length: channels }, (_, c) => {
    const counts = new Int32Array(256);
    for (let i = c * plane, end = i + plane; i < end; i++) counts[data[i]]++;
    return counts;
  });
}

function stretchTable(counts: Int32Array): Uint8Array | undefined {
  const low = counts.findIndex((n) => n > 0);
  const high = counts.findLastIndex((n) => n > 0);
  if (high <= low) return undefined;
  const scale = 255 / (high - low);
  const offset = -low * scale;
  return tableOf((v) => Math.trunc(v * scale + offset));
}

function equalizeTable(counts: Int32Array): Uint8Array | undefined {
  const used = counts.filter((n) => n > 0);
  if (used.length <= 1) return undefined;
  const total = used.reduce((sum, n) => sum + n, 0);
  const step = Math.floor((total - used[used.length - 1]) / 255);
  if (step === 0) return undefined;
  let below = Math.floor(step / 2);
  return tableOf((v) => {
    const level = Math.floor(below / step);
    below += counts[v];
    return level;
  });
}
