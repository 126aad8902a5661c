import { TesseraeError } from "../errors.ts";

/*
 * What an image file's bytes say before anything decodes them.
 */

/** Larger pictures are refused before their pixels are unpacked. */
export const MAX_PIXELS = 100_000_000;

const startsWith = (bytes: Uint8Array, text: string, at = 0): boolean => {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
};

export const isTiff = (bytes: Uint8Array): boolean =>
  (startsWith(bytes, "II") && (bytes[2] === 42 || bytes[2] === 43)) ||
  (startsWith(bytes, "MM") && (bytes[3] === 42 || bytes[3] === 43));

const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8;
const isPng = (bytes: Uint8Array): boolean => startsWith(bytes, "\x89PNG");
const isGif = (bytes: Uint8Array): boolean => startsWith(bytes, "GIF8");
const isWebp = (bytes: Uint8Array): boolean => startsWith(bytes, "RIFF") && startsWith(bytes, "WEBP", 8);

/** By content, not by name: keeps a picture in disguise (SVG, PDF) from reaching a decoder that follows links. */
const looksLikeImage = (bytes: Uint8Array): boolean =>
  [isJpeg, isPng, isGif, isWebp, isTiff].some((is) => is(bytes)) || startsWith(bytes, "ftyp", 4);

/** Throws TesseraeError("data") for bytes that no decoder should see. */
export function checkImageFile(bytes: Uint8Array, name: string): void {
  if (bytes.length === 0) throw new TesseraeError("data", "the file is empty (zero bytes)", { where: name });
  if (!looksLikeImage(bytes)) throw new TesseraeError("data", "not an image that can be read", { where: name });
}

export const tooLarge = `too large: over ${MAX_PIXELS / 1e6} million pixels`;

/** Whether the file stops before its format says it ends; false where the format does not say. */
export function stopsShort(bytes: Uint8Array): boolean {
  const n = bytes.length;
  const tail = (length: number) => bytes.subarray(Math.max(0, n - length));
  if (bytes[0] === 0xff) return !tail(4096).some((byte, i, all) => byte === 0xff && all[i + 1] === 0xd9);
  if (isPng(bytes)) return !startsWith(tail(8), "IEND");
  if (isGif(bytes)) return bytes[n - 1] !== 0x3b;
  if (!startsWith(bytes, "RIFF")) return false;
  return n < 8 + (bytes[4] | (bytes[5] << 8) | (bytes[6] << 16)) + bytes[7] * 2 ** 24;
}

export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  /** 1 grey, 3 colour, 4 CMYK. */
  readonly components: number;
}

/** The segments of a JPEG up to its pixels; `at`: where a segment's length stands. */
function* jpegSegments(bytes: Uint8Array): Generator<{ marker: number; at: number }> {
  for (let p = 2; p + 4 <= bytes.length && bytes[p] === 0xff; ) {
    const marker = bytes[p + 1];
    if (marker === 0xff) {
      p++;
      continue;
    }
    if (marker === 0xda) return;
    yield { marker, at: p + 2 };
    p += 2 + ((bytes[p + 2] << 8) | bytes[p + 3]);
  }
}

const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;

/** The frame header of a JPEG; undefined where there is none. */
export function jpegFrame(bytes: Uint8Array): JpegFrame | undefined {
  if (!isJpeg(bytes)) return undefined;
  const word = (p: number) => (bytes[p] << 8) | bytes[p + 1];
  for (const { marker, at } of jpegSegments(bytes)) {
    if (!isFrame(marker)) continue;
    if (at + 7 >= bytes.length) return undefined;
    return { height: word(at + 3), width: word(at + 5), components: bytes[at + 7] };
  }
  return undefined;
}

/** Whether a JPEG is to be shown as it lies: it has no Exif orientation, or the upright one. */
export function isUpright(bytes: Uint8Array): boolean {
  for (const { marker, at } of jpegSegments(bytes)) {
    if (marker === 0xe1 && startsWith(bytes, "Exif", at + 2)) return orientationOf(bytes, at + 8) === 1;
  }
  return true;
}

/** The orientation tag of the first directory of Exif data; 1 where it has none, 0 where it cannot be read. */
function orientationOf(bytes: Uint8Array, start: number): number {
  const ORIENTATION = 0x0112;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = bytes[start] === 0x49;
  const [word, long] = [
    (p: number) => view.getUint16(start + p, little),
    (p: number) => view.getUint32(start + p, little),
  ];
  try {
    const directory = long(4);
    for (let i = 0; i < word(directory); i++) {
      const entry = directory + 2 + 12 * i;
      if (word(entry) === ORIENTATION) return word(entry + 8);
    }
    return 1;
  } catch {
    return 0; // beyond the file's end
  }
}

/** [width, height] as the header of a JPEG, PNG, GIF or WebP has them; undefined where it does not say. */
export function declaredSize(bytes: Uint8Array): [number, number] | undefined {
  if (bytes.length < 30) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [short, whole] = [(p: number) => view.getUint16(p, true), (p: number) => view.getUint32(p, true)];
  const frame = jpegFrame(bytes);
  if (frame) return [frame.width, frame.height];
  if (isPng(bytes)) return [view.getUint32(16), view.getUint32(20)];
  if (isGif(bytes)) return [short(6), short(8)];
  if (!isWebp(bytes)) return undefined;
  const packed = whole(21);
  if (startsWith(bytes, "VP8X", 12)) return [(whole(24) & 0xffffff) + 1, (whole(26) >>> 8) + 1];
  if (startsWith(bytes, "VP8L", 12)) return [(packed & 0x3fff) + 1, ((packed >>> 14) & 0x3fff) + 1];
  return [short(26) & 0x3fff, short(28) & 0x3fff];
}
