import { readFileSync, statSync } from "node:fs";
import sharp from "sharp";
import type { RgbImage } from "../data/image.ts";
import { TesseraeError } from "../errors.ts";

/** Larger pictures are refused before their pixels are unpacked. */
export const MAX_PIXELS = 100_000_000;

const LIMITS = {
  limitInputPixels: MAX_PIXELS,
  failOn: "error",
  sequentialRead: true,
  ignoreIcc: true,
  autoOrient: true,
} as const;

/** What `decodeImage` reads, by file extension. */
export const IMAGE_EXTENSIONS: readonly string[] = ["jpg", "jpeg", "png", "webp", "gif", "tif", "tiff", "avif"];

/** Settings of libvips, which are the whole process's: one thread a picture, no cache of past operations. */
export function prepareSharp(): void {
  sharp.concurrency(1);
  sharp.cache(false);
}

const startsWith = (bytes: Uint8Array, text: string, at = 0): boolean => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

const isTiff = (bytes: Uint8Array): boolean =>
  (startsWith(bytes, "II") && (bytes[2] === 42 || bytes[2] === 43)) ||
  (startsWith(bytes, "MM") && (bytes[3] === 42 || bytes[3] === 43));

/** By content, not by name: keeps a picture in disguise (SVG, PDF) from reaching a decoder that follows links. */
function looksLikeImage(bytes: Uint8Array): boolean {
  return (
    (bytes[0] === 0xff && bytes[1] === 0xd8) ||
    startsWith(bytes, "\x89PNG") ||
    startsWith(bytes, "GIF8") ||
    (startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8)) ||
    isTiff(bytes) ||
    startsWith(bytes, "ftyp", 4)
  );
}

/** Components of a JPEG by its frame header: 1 grey, 3 colour, 4 CMYK; 0 when there is none. */
function jpegComponents(bytes: Uint8Array): number {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return 0;
  for (let p = 2; p + 9 < bytes.length && bytes[p] === 0xff; ) {
    const marker = bytes[p + 1];
    if (marker === 0xff) p++;
    else if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc) {
      return bytes[p + 9];
    } else if (marker === 0xda) return 0;
    else p += 2 + ((bytes[p + 2] << 8) | bytes[p + 3]);
  }
  return 0;
}

/** Whether the file stops before its format says it ends; false where the format does not say. */
function stopsShort(bytes: Uint8Array): boolean {
  const n = bytes.length;
  const tail = (length: number) => bytes.subarray(Math.max(0, n - length));
  if (bytes[0] === 0xff) return !tail(4096).some((byte, i, all) => byte === 0xff && all[i + 1] === 0xd9);
  if (startsWith(bytes, "\x89PNG")) return !startsWith(tail(8), "IEND");
  if (startsWith(bytes, "GIF8")) return bytes[n - 1] !== 0x3b;
  if (!startsWith(bytes, "RIFF")) return false;
  return n < 8 + (bytes[4] | (bytes[5] << 8) | (bytes[6] << 16)) + bytes[7] * 2 ** 24;
}

/** Why sharp refused, in a few words. libvips' own words are no guide: threads write them over each other's. */
function reasonOf(error: unknown, bytes: Uint8Array): string {
  const text = (error instanceof Error ? error.message : String(error)).split("\n")[0].trim();
  if (/pixel limit/i.test(text)) return `too large: over ${MAX_PIXELS / 1e6} million pixels`;
  if (stopsShort(bytes)) return "truncated";
  if (/unsupported image format/i.test(text)) return "not an image that can be read";
  return /unknown error/i.test(text) ? "damaged" : `damaged (${text})`;
}

/** c = (255 - c)(255 - k) / 255, Pillow's plain conversion (no ink profile). */
function cmykToRgb(cmyk: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((cmyk.length / 4) * 3);
  for (let p = 0, q = 0; p < cmyk.length; p += 4, q += 3) {
    const white = 255 - cmyk[p + 3];
    for (let c = 0; c < 3; c++) {
      const t = cmyk[p + c] * white + 128;
      rgb[q + c] = Math.max(0, white - (((t >> 8) + t) >> 8));
    }
  }
  return rgb;
}

/** One or two channels (grey, grey and alpha), or four, to three; alpha is dropped, not blended. */
function toRgb(data: Uint8Array, pixels: number, channels: number): Uint8Array {
  if (channels === 3) return data;
  const rgb = new Uint8Array(pixels * 3);
  const [g, b] = channels < 3 ? [0, 0] : [1, 2];
  for (let i = 0, p = 0, q = 0; i < pixels; i++, p += channels, q += 3) {
    rgb[q] = data[p];
    rgb[q + 1] = data[p + g];
    rgb[q + 2] = data[p + b];
  }
  return rgb;
}

/**
 * The bytes of an image file -> 8-bit RGB as Pillow's convert("RGB") gives it: colour profiles ignored, alpha dropped,
 * the high byte of 16 bits; the EXIF orientation is applied. Animations give their first frame.
 * @throws TesseraeError `data`, one line that names the file: empty, not an image, truncated, damaged, too large.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  if (bytes.length === 0) throw new TesseraeError("data", "the file is empty (zero bytes)", { where: name });
  if (!looksLikeImage(bytes)) throw new TesseraeError("data", "not an image that can be read", { where: name });
  try {
    const cmyk =
      jpegComponents(bytes) === 4 || (isTiff(bytes) && (await sharp(bytes, LIMITS).metadata()).space === "cmyk");
    const reader = sharp(bytes, LIMITS);
    if (cmyk) reader.pipelineColourspace("cmyk").toColourspace("cmyk");
    const { data, info } = await reader.raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const rgb = cmyk && channels === 4 ? cmykToRgb(data) : toRgb(data, width * height, channels);
    return { width, height, data: rgb };
  } catch (cause) {
    throw new TesseraeError("data", reasonOf(cause, bytes), { where: name, cause });
  }
}

/** Reads and decodes a file. @throws TesseraeError `data`, as `decodeImage`, also for a file that cannot be read. */
export async function decodeFile(path: string): Promise<RgbImage> {
  let bytes: Uint8Array;
  try {
    // first, since reading a pipe waits, and some devices never end
    if (!statSync(path).isFile()) throw new TesseraeError("data", "not a file", { where: path });
    bytes = readFileSync(path);
  } catch (cause) {
    if (cause instanceof TesseraeError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "no such file" : `cannot be read (${code ?? String(cause)})`;
    throw new TesseraeError("data", what, { where: path, cause });
  }
  return decodeImage(bytes, path);
}
