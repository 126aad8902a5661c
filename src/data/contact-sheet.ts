import type { RgbImage } from "./image.ts";

export interface ContactSheetOptions {
  /** [C, H, W] of every tile; one channel is shown as grey. */
  shape: readonly [number, number, number];
  columns: number;
  /** Sheet pixels, a side, of a tile's pixel. Default 1. */
  zoom?: number;
  /** White pixels around every tile. Default 4. */
  gap?: number;
}

/** Planar tiles [C, H, W], row by row on white. */
export function contactSheet(tiles: readonly Uint8Array[], options: ContactSheetOptions): RgbImage {
  const { shape, columns, zoom = 1, gap = 4 } = options;
  const [channels, h, w] = shape;
  const [down, across] = [h * zoom + gap, w * zoom + gap];
  const width = gap + columns * across;
  const height = gap + Math.ceil(tiles.length / columns) * down;
  const data = new Uint8Array(3 * width * height).fill(255);
  tiles.forEach((tile, i) => {
    const [top, left] = [gap + Math.floor(i / columns) * down, gap + (i % columns) * across];
    for (let y = 0; y < h * zoom; y++) {
      for (let x = 0; x < w * zoom; x++) {
        const from = Math.floor(y / zoom) * w + Math.floor(x / zoom);
        const to = 3 * ((top + y) * width + left + x);
        for (let c = 0; c < 3; c++) data[to + c] = tile[(c % channels) * h * w + from];
      }
    }
  });
  return { width, height, data };
}
