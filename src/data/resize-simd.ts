import { type AxisWeights, HALF, PRECISION_BITS } from "./resize-weights.ts";

/*
 * The two passes of a resize as a small WebAssembly module with 128-bit vectors, assembled here; the plain passes in
 * resize.ts say what it computes and give the same bits.
 */

type Code = (number | Code)[];

function leb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40)) return bytes.concat(low);
    bytes.push(low | 0x80);
  }
}

const flat = (code: Code): number[] => code.flatMap((part) => (typeof part === "number" ? part : flat(part)));
const get = (local: number): Code => [0x20, leb(local)];
const set = (local: number, value: Code): Code => [value, 0x21, leb(local)];
const constant = (value: number): Code => [0x41, leb(value)];
const add = (a: Code, b: Code): Code => [a, b, 0x6a];
const times = (a: Code, b: Code): Code => [a, b, 0x6c];
const load = (at: Code): Code => [at, 0x28, 2, 0];
const advance = (local: number, by: Code): Code => set(local, add(get(local), by));
/** do body while (local < limit), both unsigned. */
const until = (local: number, limit: Code, body: Code): Code => [
  0x03,
  0x40,
  body,
  get(local),
  limit,
  0x49,
  0x0d,
  0,
  0x0b,
];

const vector = (op: number): Code => [0xfd, op < 128 ? op : [(op & 0x7f) | 0x80, op >> 7]];
const load128 = (at: Code): Code => [at, vector(0x00), 0, 0];
const load32Zero = (at: Code): Code => [at, vector(0x5c), 0, 0];
const load32Splat = (at: Code): Code => [at, vector(0x09), 2, 0];
const store128 = (at: Code, value: Code): Code => [at, value, vector(0x0b), 0, 0];
const store32 = (at: Code, value: Code): Code => [at, value, vector(0x5a), 0, 0, 0];
const splat = (value: Code): Code => [value, vector(0x11)];
const wide16 = (bytes: Code, high = false): Code => [bytes, vector(high ? 0x8a : 0x89)];
const wide32 = (words: Code, high = false): Code => [words, vector(high ? 0xaa : 0xa9)];
const add4 = (a: Code, b: Code): Code => [a, b, vector(0xae)];
const times4 = (a: Code, b: Code): Code => [a, b, vector(0xb5)];
const rounded = (sum: Code): Code => [sum, constant(PRECISION_BITS), vector(0xac)];
/** Saturating: the clamp to 0 .. 255. */
const bytesOf = (a: Code, b: Code, c: Code, d: Code): Code => [a, b, vector(0x85), c, d, vector(0x85), vector(0x66)];

// Parameters (all i32), the same for both functions: byte addresses, sizes in bytes.
const [SRC, STRIDE, DST, DST_ROW, DST_END, STARTS, COUNTS, WEIGHTS, TAP_BYTES] = [0, 1, 2, 3, 4, 5, 6, 7, 8];
const PARAMETERS = 9;
// Locals: i32, then vectors.
const [ROW_END, P, K, K_END, S, Q] = [9, 10, 11, 12, 13, 14];
const I32_LOCALS = 6;
const [ACC, ACC1, ACC2, ACC3, BYTES, W] = [15, 16, 17, 18, 19, 20];
const V_LOCALS = 6;

/** Rows of RGB at SRC -> rows at DST: each pixel is a weighted sum of its row's pixels from STARTS[x] (in bytes). */
const horizontal: Code = until(DST, get(DST_END), [
  set(ROW_END, add(get(DST), get(DST_ROW))),
  set(S, constant(0)),
  set(Q, get(WEIGHTS)),
  until(DST, get(ROW_END), [
    set(P, add(get(SRC), load(add(get(STARTS), get(S))))),
    set(K, get(Q)),
    set(K_END, add(get(K), times(load(add(get(COUNTS), get(S))), constant(4)))),
    set(ACC, splat(constant(HALF))),
    until(K, get(K_END), [
      set(ACC, add4(get(ACC), times4(wide32(wide16(load32Zero(get(P)))), load32Splat(get(K))))),
      advance(P, constant(3)),
      advance(K, constant(4)),
    ]),
    // Writes four bytes for three; the next pixel, or the slack at the end, takes the fourth.
    store32(get(DST), bytesOf(rounded(get(ACC)), get(ACC), get(ACC), get(ACC))),
    advance(DST, constant(3)),
    advance(S, constant(4)),
    advance(Q, get(TAP_BYTES)),
  ]),
  advance(SRC, get(STRIDE)),
]);

const term = (half: boolean, quarter: boolean): Code => times4(wide32(wide16(get(BYTES), half), quarter), get(W));

/** Rows at SRC -> rows at DST, 16 bytes at a time: row y is a weighted sum of rows from STARTS[y] (in bytes). */
const vertical: Code = until(DST, get(DST_END), [
  set(ROW_END, add(get(DST), get(DST_ROW))),
  set(Q, get(DST)),
  set(S, add(get(SRC), load(get(STARTS)))),
  until(Q, get(ROW_END), [
    set(P, get(S)),
    set(K, get(WEIGHTS)),
    set(K_END, add(get(K), times(load(get(COUNTS)), constant(4)))),
    [ACC, ACC1, ACC2, ACC3].map((acc) => set(acc, splat(constant(HALF)))),
    until(K, get(K_END), [
      set(BYTES, load128(get(P))),
      set(W, load32Splat(get(K))),
      set(ACC, add4(get(ACC), term(false, false))),
      set(ACC1, add4(get(ACC1), term(false, true))),
      set(ACC2, add4(get(ACC2), term(true, false))),
      set(ACC3, add4(get(ACC3), term(true, true))),
      advance(P, get(STRIDE)),
      advance(K, constant(4)),
    ]),
    // The last store may reach past the row; the next row, or the slack at the end, takes the rest.
    store128(get(Q), bytesOf(rounded(get(ACC)), rounded(get(ACC1)), rounded(get(ACC2)), rounded(get(ACC3)))),
    advance(Q, constant(16)),
    advance(S, constant(16)),
  ]),
  advance(DST, get(DST_ROW)),
  advance(STARTS, constant(4)),
  advance(COUNTS, constant(4)),
  advance(WEIGHTS, get(TAP_BYTES)),
]);

const sized = (code: Code): Code => {
  const bytes = flat(code);
  return [unsigned(bytes.length), bytes];
};
const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];
const section = (id: number, body: Code): Code => [id, sized(body)];
const text = (name: string): Code => sized([...name].map((c) => c.charCodeAt(0)));
const I32 = 0x7f;
const V128 = 0x7b;
const body = (code: Code): Code => sized([2, I32_LOCALS, I32, V_LOCALS, V128, code, 0x0b]);

function assemble(): Uint8Array<ArrayBuffer> {
  const module: Code = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [1, 0x60, PARAMETERS, new Array(PARAMETERS).fill(I32), 0]),
    section(3, [2, 0, 0]),
    section(5, [1, 0, 1]),
    section(7, [3, text("memory"), 2, 0, text("horizontal"), 0, 0, text("vertical"), 0, 1]),
    section(10, [2, body(horizontal), body(vertical)]),
  ];
  return new Uint8Array(flat(module));
}

type PassFunction = (
  src: number,
  stride: number,
  dst: number,
  dstRow: number,
  dstEnd: number,
  starts: number,
  counts: number,
  weights: number,
  tapBytes: number,
) => void;

interface Module {
  memory: WebAssembly.Memory;
  horizontal: PassFunction;
  vertical: PassFunction;
}

let instance: Module | null | undefined;

/** Made at the first use; null where vectors are not to be had. */
function moduleOf(): Module | null {
  if (instance === undefined) {
    try {
      const made = new WebAssembly.Instance(new WebAssembly.Module(assemble()));
      instance = made.exports as unknown as Module;
    } catch {
      instance = null;
    }
  }
  return instance;
}

export interface AxisPart {
  axis: AxisWeights;
  /** Results from .. to - 1 of the axis. */
  from: number;
  to: number;
}

const SLACK = 64;
/** Larger sources are not worth their copy. */
const MOST_BYTES = 64 * 2 ** 20;
const align = (at: number) => (at + 15) & ~15;

/** Writes an axis's tables at `at`; starts become byte offsets. */
function writeAxis(memory: ArrayBuffer, at: number, { axis, from, to }: AxisPart, first: number, unit: number) {
  const { taps, starts, counts, weights } = axis;
  const n = to - from;
  const table = new Int32Array(memory, at, n * (2 + taps));
  for (let i = 0; i < n; i++) {
    table[i] = (starts[from + i] - first) * unit;
    table[n + i] = counts[from + i];
  }
  table.set(weights.subarray(from * taps, to * taps), 2 * n);
  return [at, at + 4 * n, at + 8 * n, 4 * taps] as const;
}

/**
 * Both passes over RGB `lines` (rows `stride` bytes apart, the first of them source row `firstRow`) -> interleaved
 * pixels [v.to - v.from, h.to - h.from, 3], a view that the next call overwrites. Undefined where it cannot be done.
 */
export function simdPasses(
  lines: Uint8Array,
  stride: number,
  rows: number,
  firstRow: number,
  h: AxisPart,
  v: AxisPart,
): Uint8Array | undefined {
  if (lines.length > MOST_BYTES) return undefined;
  const module = moduleOf();
  if (!module) return undefined;
  const rowBytes = 3 * (h.to - h.from);
  const outRows = v.to - v.from;
  const between = align(lines.length + SLACK);
  const out = align(between + rows * rowBytes + SLACK);
  const hTable = align(out + outRows * rowBytes + SLACK);
  const vTable = align(hTable + 4 * (h.to - h.from) * (2 + h.axis.taps));
  const total = vTable + 4 * outRows * (2 + v.axis.taps) + SLACK;
  const { memory } = module;
  if (memory.buffer.byteLength < total) memory.grow(Math.ceil((total * 1.2 - memory.buffer.byteLength) / 65536));
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(lines);
  const hAt = writeAxis(memory.buffer, hTable, h, 0, 3);
  module.horizontal(0, stride, between, rowBytes, between + rows * rowBytes, ...hAt);
  const vAt = writeAxis(memory.buffer, vTable, v, firstRow, rowBytes);
  module.vertical(between, rowBytes, out, rowBytes, out + outRows * rowBytes, ...vAt);
  return bytes.subarray(out, out + outRows * rowBytes);
}
