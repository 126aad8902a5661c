/** A baseline JPEG with one scan, as far as the decoder here takes it. */
export interface JpegHeader {
  readonly width: number;
  readonly height: number;
  readonly components: readonly JpegComponent[];
  /** 64 numbers in zigzag order, by the number of the table. */
  readonly quantization: ReadonlyMap<number, Uint16Array>;
  /** Counts by length and symbols, by the class (0: DC, 1: AC) times 16 and the number of the table. */
  readonly huffman: ReadonlyMap<number, HuffmanCode>;
  /** The entropy-coded bytes, and how many of them are 0xff. */
  readonly scan: { readonly from: number; readonly to: number; readonly stuffed: number };
}

export interface HuffmanCode {
  readonly counts: Uint8Array;
  readonly symbols: Uint8Array;
}

export interface JpegComponent {
  readonly id: number;
  /** Sampling factors. */
  readonly h: number;
  readonly v: number;
  readonly quantization: number;
  /** Huffman tables of the scan. */
  readonly dc: number;
  readonly ac: number;
}

type Frame = Pick<JpegHeader, "width" | "height"> & { components: Omit<JpegComponent, "dc" | "ac">[] };

/** Something that the decoder here leaves to another. */
class Unsupported extends Error {}

const need = (ok: boolean): void => {
  if (!ok) throw new Unsupported();
};

/**
 * Reads the headers (ITU T.81, annex B). Undefined for what is not a plain photograph: progressive, arithmetic or
 * lossless coding, 12 bits, restarts, several scans, CMYK or RGB, rare sampling, an orientation, anything damaged.
 */
export function readHeader(bytes: Uint8Array): JpegHeader | undefined {
  try {
    return parse(bytes);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}

const SOI = 0xd8;
const EOI = 0xd9;

function parse(bytes: Uint8Array): JpegHeader {
  const word = (at: number): number => (bytes[at] << 8) | bytes[at + 1];
  need(bytes.length > 4 && bytes[0] === 0xff && bytes[1] === SOI);
  const quantization = new Map<number, Uint16Array>();
  const huffman = new Map<number, HuffmanCode>();
  let frame: Frame | undefined;
  let ycc = false;
  for (let at = 2; ; ) {
    need(at + 4 <= bytes.length && bytes[at] === 0xff);
    const marker = bytes[at + 1];
    const end = at + 2 + word(at + 2);
    const body = bytes.subarray(at + 4, end);
    need(end <= bytes.length && end >= at + 4);
    if (marker === 0xdb) readQuantization(body, quantization);
    else if (marker === 0xc4) readHuffman(body, huffman);
    else if (marker === 0xc0 || marker === 0xc1) {
      need(frame === undefined);
      frame = readFrame(body);
    } else if (marker === 0xe0) ycc ||= isText(body, "JFIF\0");
    else if (marker === 0xe1) need(!isText(body, "Exif\0\0") || isUpright(body.subarray(6)));
    else if (marker === 0xee) need(!isText(body, "Adobe") || body[11] === 1);
    else if (marker === 0xda) {
      const components = scanComponents(body, frame);
      need(ycc || components.length === 1 || components.every(({ id }, i) => id === i + 1));
      const { width, height } = frame as Frame;
      return { width, height, components, quantization, huffman, scan: findScan(bytes, end) };
    } else need((marker >= 0xe2 && marker <= 0xef) || marker === 0xfe);
    at = end;
  }
}

const isText = (body: Uint8Array, text: string): boolean =>
  body.length >= text.length && [...text].every((c, i) => body[i] === c.charCodeAt(0));

function readQuantization(body: Uint8Array, tables: Map<number, Uint16Array>): void {
  for (let at = 0; at < body.length; ) {
    const [precision, id] = [body[at] >> 4, body[at] & 15];
    const size = precision === 0 ? 64 : 128;
    need(precision <= 1 && id < 4 && at + 1 + size <= body.length);
    const from = at + 1;
    const value = (i: number) =>
      precision === 0 ? body[from + i] : (body[from + 2 * i] << 8) | body[from + 2 * i + 1];
    tables.set(
      id,
      Uint16Array.from({ length: 64 }, (_, i) => value(i)),
    );
    at += 1 + size;
  }
}

function readHuffman(body: Uint8Array, tables: Map<number, HuffmanCode>): void {
  for (let at = 0; at < body.length; ) {
    need(at + 17 <= body.length);
    const counts = body.slice(at + 1, at + 17);
    const total = counts.reduce((sum, n) => sum + n, 0);
    need((body[at] & 0xec) === 0 && total <= 256 && at + 17 + total <= body.length);
    tables.set(body[at], { counts, symbols: body.slice(at + 17, at + 17 + total) });
    at += 17 + total;
  }
}

function readFrame(body: Uint8Array): Frame {
  const [height, width] = [(body[1] << 8) | body[2], (body[3] << 8) | body[4]];
  const count = body[5];
  need(body[0] === 8 && height > 0 && width > 0 && (count === 1 || count === 3) && body.length === 6 + 3 * count);
  const components = Array.from({ length: count }, (_, i) => {
    const [id, factors, quantization] = body.subarray(6 + 3 * i);
    return { id, h: factors >> 4, v: factors & 15, quantization };
  });
  // A lone component has no neighbours: its factors say nothing.
  if (count === 1) components[0] = { ...components[0], h: 1, v: 1 };
  const [luma, ...chroma] = components;
  need([0x11, 0x21, 0x22].includes((luma.h << 4) | luma.v));
  need(chroma.every(({ h, v }) => h === 1 && v === 1));
  // libjpeg repeats the samples of so narrow a plane instead.
  need(luma.h === 1 || width > 4);
  return { width, height, components };
}

/** One scan of all components, all coefficients at once. */
function scanComponents(body: Uint8Array, frame: Frame | undefined): JpegComponent[] {
  if (!frame) throw new Unsupported();
  const count = frame.components.length;
  need(body[0] === count && body.length === 4 + 2 * count);
  need(body[1 + 2 * count] === 0 && body[2 + 2 * count] === 63 && body[3 + 2 * count] === 0);
  return frame.components.map((component, i) => {
    const [id, tables] = body.subarray(1 + 2 * i);
    need(id === component.id);
    return { ...component, dc: tables >> 4, ac: tables & 15 };
  });
}

/** The scan runs to the end of the image: no marker but that. */
function findScan(bytes: Uint8Array, from: number): JpegHeader["scan"] {
  let stuffed = 0;
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 2)) {
    if (bytes[at + 1] === EOI) return { from, to: at, stuffed };
    need(bytes[at + 1] === 0);
    stuffed++;
  }
  throw new Unsupported();
}

/** EXIF without an orientation, or the normal one: the first directory's tag 0x112. */
function isUpright(tiff: Uint8Array): boolean {
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  if (tiff.length < 8) return false;
  const little = tiff[0] === 0x49;
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return false;
  const count = view.getUint16(directory, little);
  if (directory + 2 + 12 * count > tiff.length) return false;
  for (let i = 0; i < count; i++) {
    const entry = directory + 2 + 12 * i;
    if (view.getUint16(entry, little) === 0x112) return view.getUint16(entry + 8, little) === 1;
  }
  return true;
}
