import type { PlanarImage } from "../frame.ts";

const { fround } = Math;

/**
 * Turns the hue by `shift` of the circle (-0.5 .. 0.5), by way of Pillow's 8-bit HSV, as torchvision's adjust_hue
 * does for Pillow images. One channel stays as it is.
 */
export function adjustHue({ data, channels, width, height }: PlanarImage, shift: number): void {
  if (channels !== 3) return;
  const turn = Math.trunc(shift * 255) & 0xff;
  const plane = width * height;
  for (let i = 0, j = plane, k = 2 * plane; i < plane; i++, j++, k++) {
    const [r, g, b] = [data[i], data[j], data[k]];
    const most = Math.max(r, g, b);
    const least = Math.min(r, g, b);
    // Grey has hue and saturation 0, and turns into itself.
    if (most === least) continue;
    const chroma = most - least;
    const saturation = Math.trunc(fround(chroma / most) * 255);
    const hue = (hueByte(r, g, b, most, chroma) + turn) & 0xff;
    if (saturation === 0) {
      data[i] = most;
      data[j] = most;
      data[k] = most;
      continue;
    }
    // Convert.c's hsv2rgb, whose mixed precision this keeps.
    const sextant = Math.floor((hue * 6) / 255);
    const f = fround((hue * 6) / 255 - sextant);
    const fs = fround(saturation / 255);
    const p = Math.floor(most * (1 - fs) + 0.5);
    const q = Math.floor(most * (1 - fround(fs * f)) + 0.5);
    const t = Math.floor(most * (1 - fs * (1 - f)) + 0.5);
    const s = sextant % 6;
    data[i] = s === 0 || s === 5 ? most : s === 1 ? q : s === 4 ? t : p;
    data[j] = s === 1 || s === 2 ? most : s === 0 ? t : s === 3 ? q : p;
    data[k] = s === 3 || s === 4 ? most : s === 2 ? t : s === 5 ? q : p;
  }
}

/** 0 .. 255 for the whole circle. */
function hueByte(r: number, g: number, b: number, most: number, chroma: number): number {
  const rc = fround((most - r) / chroma);
  const gc = fround((most - g) / chroma);
  const bc = fround((most - b) / chroma);
  const hue = fround(r === most ? bc - gc : g === most ? 2 + rc - bc : 4 + gc - rc);
  return Math.trunc(fround((hue / 6 + 1) % 1) * 255);
}
