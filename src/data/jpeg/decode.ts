import type { RgbImage } from "../image.ts";
import type { Rect } from "../resize.ts";
import { grow, instantiate } from "../wasm.ts";
import { BLOCK_BYTES, entropy, huffmanTable, STATE_BYTES, TABLE_BYTES } from "./entropy.ts";
import type { HuffmanCode, JpegComponent, JpegHeader } from "./header.ts";
import { color, idct, sums, unstuff, upsample, words } from "./pixels.ts";

interface Module {
  entropy(
    state: number,
    blocks: number,
    blocksEnd: number,
    mcus: number,
    from: number,
    to: number,
    coefficients: number,
    zigzag: number,
  ): number;
  sums(near: number, far: number, sums: number, to: number, n: number, nearBy: number, farBy: number): void;
  upsample(
    near: number,
    far: number,
    sums: number,
    to: number,
    n: number,
    nearBy: number,
    farBy: number,
    even: number,
    odd: number,
    shift: number,
  ): void;
  color(y: number, cb: number, cr: number, to: number, end: number): void;
  unstuff(from: number, end: number, to: number): number;
  words(from: number, end: number): void;
}

let instance: ReturnType<typeof instantiate<Module>> | undefined;

function moduleOf() {
  // The order matters: entropy calls function 1.
  if (instance === undefined) {
    instance = instantiate<Module>([entropy, idct, sums, upsample, color, unstuff, words]);
  }
  return instance;
}

const SLACK = 64;
/** Memory for larger pictures would stay with the thread. */
const MOST_PIXELS = 2 ** 25;
const align = (at: number): number => (at + 15) & ~15;

// Places in memory that are the same for every image.
const ZIGZAG_AT = 0;
const COEFFICIENTS_AT = 256;
const STATE_AT = 512;
const LAST_AT = STATE_AT + STATE_BYTES;
const BLOCKS_AT = LAST_AT + 16;
const MOST_BLOCKS = 6;
const QUANT_AT = align(BLOCKS_AT + MOST_BLOCKS * BLOCK_BYTES);
const TABLES_AT = QUANT_AT + 3 * 256;
const FREE = align(TABLES_AT + 6 * TABLE_BYTES);

/** T.81, figure A.6: where the k-th coefficient of the scan lies in the block. */
const zigzag: readonly number[] = Array.from({ length: 15 }, (_, d) =>
  Array.from({ length: 8 }, (_, i) => (d % 2 ? [i, d - i] : [d - i, i]))
    .filter(([y, x]) => y >= 0 && x >= 0 && y < 8 && x < 8)
    .map(([y, x]) => 8 * y + x),
).flat();

const tables = new WeakMap<HuffmanCode, Int32Array | undefined>();
const known = new Map<string, Int32Array | undefined>();
const KNOWN_TABLES = 64;

/** The table of a code; most files share the standard's. */
function tableOf(code: HuffmanCode, isDc: boolean): Int32Array | undefined {
  const own = tables.get(code);
  if (own) return own;
  const key = `${isDc},${code.counts},${code.symbols}`;
  if (!known.has(key)) {
    if (known.size >= KNOWN_TABLES) known.delete(known.keys().next().value as string);
    known.set(key, huffmanTable(code.counts, code.symbols, isDc));
  }
  const table = known.get(key);
  tables.set(code, table);
  return table;
}

/** A part of a plane in memory: MCU columns and rows of the region, `stride` bytes a row. */
interface Plane {
  at: number;
  stride: number;
  /** Samples of the whole component that the image has. */
  width: number;
  height: number;
}

interface Layout {
  h: number;
  v: number;
  /** MCUs of the image, and the first and the end of those kept. */
  across: number;
  down: number;
  x: readonly [number, number];
  y: readonly [number, number];
}

/** Upsampling reads a chroma sample beyond the box: two pixels. */
function layoutOf({ width, height, components: [{ h, v }] }: JpegHeader, box: Rect): Layout {
  const [w, tall] = [8 * h, 8 * v];
  const [across, down] = [Math.ceil(width / w), Math.ceil(height / tall)];
  const span = (from: number, length: number, unit: number, most: number): [number, number] => [
    Math.max(0, Math.floor((from - 2) / unit)),
    Math.min(most, Math.ceil((from + length + 2) / unit)),
  ];
  return { h, v, across, down, x: span(box.x, box.width, w, across), y: span(box.y, box.height, tall, down) };
}

/**
 * The pixels of `box` (integer) of a JPEG, the same bits as libjpeg's decoder with its defaults: all of the scan is
 * read, but only what the box needs is transformed. Undefined where the data are damaged in any way, the box is huge, or
 * there are no vectors: another decoder knows what to do.
 */
export function decodeJpeg(bytes: Uint8Array, header: JpegHeader, box: Rect): RgbImage | undefined {
  const module = moduleOf();
  if (!module || box.width * box.height > MOST_PIXELS) return undefined;
  const layout = layoutOf(header, box);
  const { scan, components } = header;
  const scanAt = FREE;
  const wordsAt = align(scanAt + scan.to - scan.from + SLACK);
  let free = align(wordsAt + scan.to - scan.from + 4 * SLACK);
  const planes = components.map(({ h, v }): Plane => {
    const stride = 8 * h * (layout.x[1] - layout.x[0]);
    const at = free;
    free = align(at + stride * 8 * v * (layout.y[1] - layout.y[0]) + SLACK);
    const size = (length: number, own: number, most: number) => Math.ceil((length * own) / most);
    return { at, stride, width: size(header.width, h, layout.h), height: size(header.height, v, layout.v) };
  });
  const rowsAt = free;
  const rowBytes = align(planes[0].stride + SLACK);
  const rgbAt = rowsAt + 4 * rowBytes + 2 * SLACK;
  grow(module.memory, rgbAt + 3 * box.width * box.height + SLACK);
  try {
    const bits = prepare(module, bytes, header, scanAt, wordsAt);
    if (bits === undefined || !readScan(module, header, layout, planes)) return undefined;
    const state = new Int32Array(module.memory.buffer, STATE_AT, 4);
    // What was taken: the words that were loaded, less what is left of them. No byte may be over or lack.
    const left = bits - (8 * (state[3] - wordsAt) - state[2]);
    if (left < 0 || left > 7) return undefined;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return undefined;
    throw error;
  }
  paint(module, header, layout, planes, box, rowsAt, rowBytes, rgbAt);
  const { width, height } = box;
  return { width, height, data: new Uint8Array(module.memory.buffer).slice(rgbAt, rgbAt + 3 * width * height) };
}

/** Tables and the scan's bits into memory; gives their number. */
function prepare(
  { memory, unstuff, words }: Module & { memory: WebAssembly.Memory },
  bytes: Uint8Array,
  { components, quantization, huffman, scan }: JpegHeader,
  scanAt: number,
  wordsAt: number,
): number | undefined {
  const length = scan.to - scan.from;
  const all = new Uint8Array(memory.buffer);
  const ints = new Int32Array(memory.buffer);
  all.set(bytes.subarray(scan.from, scan.to), scanAt);
  all.fill(0, scanAt + length, scanAt + length + 16);
  if (length > 0) unstuff(scanAt, scanAt + length, wordsAt);
  const own = length - scan.stuffed;
  all.fill(0, wordsAt + own, wordsAt + own + 2 * SLACK);
  words(wordsAt, wordsAt + own + SLACK);
  ints.set(
    zigzag.map((at) => 4 * at),
    ZIGZAG_AT / 4,
  );
  ints.fill(0, STATE_AT / 4, BLOCKS_AT / 4);
  ints[STATE_AT / 4 + 3] = wordsAt;
  for (const [i, component] of components.entries()) {
    const steps = quantization.get(component.quantization);
    const codes = [huffman.get(component.dc), huffman.get(16 + component.ac)];
    const [dc, ac] = codes.map((code, k) => code && tableOf(code, k === 0));
    if (!steps || !dc || !ac) return undefined;
    ints.set(steps, QUANT_AT / 4 + 64 * i);
    ints.set(dc, (TABLES_AT + 2 * i * TABLE_BYTES) / 4);
    ints.set(ac, (TABLES_AT + (2 * i + 1) * TABLE_BYTES) / 4);
  }
  return 8 * own;
}

/** All blocks, of which those of the region go into the planes. False where a code is none. */
function readScan(
  { memory, entropy }: Module & { memory: WebAssembly.Memory },
  { components }: JpegHeader,
  { across, down, x, y }: Layout,
  planes: readonly Plane[],
): boolean {
  const ints = new Int32Array(memory.buffer);
  const blocks = components.flatMap(({ h, v }: JpegComponent, i) =>
    Array.from({ length: h * v }, (_, b) => ({ i, h, v, bx: b % h, by: Math.floor(b / h) })),
  );
  for (let row = 0; row < down; row++) {
    const kept = row >= y[0] && row < y[1];
    blocks.forEach(({ i, h, v, bx, by }, b) => {
      const { at, stride } = planes[i];
      const top = kept ? 8 * (v * (row - y[0]) + by) : 0;
      const tables = TABLES_AT + 2 * i * TABLE_BYTES;
      const place = at + top * stride + 8 * bx;
      const fields = [tables, tables + TABLE_BYTES, QUANT_AT + 256 * i, LAST_AT + 4 * i, place, stride, 8 * h];
      ints.set(fields, (BLOCKS_AT + b * BLOCK_BYTES) / 4);
    });
    const end = BLOCKS_AT + blocks.length * BLOCK_BYTES;
    const [from, to] = kept ? x : [0, 0];
    if (entropy(STATE_AT, BLOCKS_AT, end, across, from, to, COEFFICIENTS_AT, ZIGZAG_AT) === 0) return false;
  }
  return true;
}

/** Planes -> RGB of the box. */
function paint(
  module: Module & { memory: WebAssembly.Memory },
  { components }: JpegHeader,
  { h, v, x, y }: Layout,
  planes: readonly Plane[],
  box: Rect,
  rowsAt: number,
  rowBytes: number,
  rgbAt: number,
): void {
  const { memory, color } = module;
  const [left, top] = [8 * h * x[0], 8 * v * y[0]];
  const shift = box.x - left;
  const [cb, cr] = [rowsAt, rowsAt + rowBytes];
  const sumsAt = rowsAt + 2 * rowBytes + SLACK;
  if (components.length === 1) new Uint8Array(memory.buffer).fill(128, cb, cb + 2 * rowBytes);
  for (let i = 0; i < box.height; i++) {
    const row = box.y + i;
    const luma = planes[0].at + (row - top) * planes[0].stride + shift;
    const chroma = planes.slice(1).map((plane, c) => {
      if (h === 1) return plane.at + (row - top) * plane.stride + shift;
      upsampleRow(module, plane, { row, v, top, left, sumsAt, to: [cb, cr][c] });
      return [cb, cr][c] + shift;
    });
    const [blue, red] = chroma.length ? chroma : [cb, cr];
    const to = rgbAt + 3 * i * box.width;
    color(luma, blue, red, to, to + 3 * box.width);
  }
}

interface ChromaRow {
  /** Of the image. */
  row: number;
  v: number;
  top: number;
  left: number;
  sumsAt: number;
  to: number;
}

/** A row of halved chroma at full width, weighted 3 to 1 with its neighbours (libjpeg's "fancy upsampling"). */
function upsampleRow(
  { memory, sums, upsample }: Module & { memory: WebAssembly.Memory },
  plane: Plane,
  { row, v, top, left, sumsAt, to }: ChromaRow,
): void {
  const near = Math.floor(row / v);
  const far = v === 1 ? near : Math.max(0, Math.min(plane.height - 1, near + (row % 2 === 0 ? -1 : 1)));
  const rowAt = (r: number) => plane.at + (r - top / v) * plane.stride;
  const [nearBy, farBy, even, odd, shift] = v === 1 ? [1, 0, 1, 2, 2] : [3, 1, 8, 7, 4];
  sums(rowAt(near), rowAt(far), sumsAt, to, plane.stride, nearBy, farBy);
  const values = new Int16Array(memory.buffer, sumsAt - 2, plane.stride + 2);
  values[0] = values[1];
  const end = plane.width - left / 2;
  if (end <= plane.stride) values[end + 1] = values[end];
  upsample(0, 0, sumsAt, to, plane.stride, nearBy, farBy, even, odd, shift);
}
