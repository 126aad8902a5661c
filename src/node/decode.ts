import { readFileSync, statSync } from "node:fs";
import sharp from "sharp";
import type { PartOf, RgbImage } from "../data/image.ts";
import {
  checkImageFile,
  isTiff,
  isUpright,
  type JpegFrame,
  jpegFrame,
  MAX_PIXELS,
  stopsShort,
  tooLarge,
} from "../data/image-file.ts";
import type { Rect } from "../data/resize.ts";
import { TesseraeError } from "../errors.ts";

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

/** Why sharp refused, in a few words. libvips' own words are no guide: threads write them over each other's. */
function reasonOf(error: unknown, bytes: Uint8Array): string {
  const text = (error instanceof Error ? error.message : String(error)).split("\n")[0].trim();
  if (/pixel limit/i.test(text)) return tooLarge;
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

/** The part of a JPEG that is needed: what lies below it is not unpacked. Undefined where all of it is, or it must be turned first. */
function neededPart(bytes: Uint8Array, { width, height, components }: JpegFrame, partOf: PartOf): Rect | undefined {
  if (components === 4 || stopsShort(bytes) || !isUpright(bytes)) return undefined;
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) return undefined;
  const box = partOf(width, height);
  return box && (box.width < width || box.height < height) ? box : undefined;
}

/**
 * The bytes of an image file -> 8-bit RGB as Pillow's convert("RGB") gives it: colour profiles ignored, alpha dropped,
 * the high byte of 16 bits; the EXIF orientation is applied. Animations give their first frame. Of a JPEG only the part that
 * `partOf` names is read, if it names one; damage below it goes unnoticed.
 * @throws TesseraeError `data`, one line that names the file: empty, not an image, truncated, damaged, too large.
 */
export async function decodeImage(bytes: Uint8Array, name: string, partOf?: PartOf): Promise<RgbImage> {
  checkImageFile(bytes, name);
  try {
    const frame = jpegFrame(bytes);
    const cmyk = frame?.components === 4 || (isTiff(bytes) && (await sharp(bytes, LIMITS).metadata()).space === "cmyk");
    const reader = sharp(bytes, LIMITS);
    if (cmyk) reader.pipelineColourspace("cmyk").toColourspace("cmyk");
    const part = frame && partOf && neededPart(bytes, frame, partOf);
    if (part) reader.extract({ left: part.x, top: part.y, width: part.width, height: part.height });
    const { data, info } = await reader.raw().toBuffer({ resolveWithObject: true });
    const { width, height, channels } = info;
    const rgb = cmyk && channels === 4 ? cmykToRgb(data) : toRgb(data, width * height, channels);
    return { width, height, data: rgb, ...(part && { within: { ...part, width: frame.width, height: frame.height } }) };
  } catch (cause) {
    throw new TesseraeError("data", reasonOf(cause, bytes), { where: name, cause });
  }
}

/** Reads and decodes a file. @throws TesseraeError `data`, as `decodeImage`, also for a file that cannot be read. */
export async function decodeFile(path: string, partOf?: PartOf): Promise<RgbImage> {
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
  return decodeImage(bytes, path, partOf);
}
