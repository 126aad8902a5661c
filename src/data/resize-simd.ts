import { type AxisWeights, HALF, PRECISION_BITS } from "./resize-weights.ts";
import {
  add,
  add4,
  advance,
  type Code,
  constant,
  get,
  grow,
  instantiate,
  load,
  load32Splat,
  load32Zero,
  load128,
  narrow8,
  narrow16,
  right4,
  set,
  splat,
  store32,
  store128,
  times,
  times4,
  until,
  wide16,
  wide32,
} from "./wasm.ts";

/*
 * The two passes of a resize as a small WebAssembly module with 128-bit vectors, assembled here; the plain passes in
 * resize.ts say what it computes and give the same bits.
 */

const rounded = (sum: Code): Code => right4(sum, PRECISION_BITS);
/** Saturating: the clamp to 0 .. 255. */
const bytesOf = (a: Code, b: Code, c: Code, d: Code): Code => narrow8(narrow16(a, b), narrow16(c, d));

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
  horizontal: PassFunction;
  vertical: PassFunction;
}

const shape = {
  parameters: PARAMETERS,
  locals: [
    [I32_LOCALS, "i32"],
    [V_LOCALS, "v128"],
  ],
} as const;
let instance: ReturnType<typeof instantiate<Module>> | undefined;

/** Made at the first use; null where vectors are not to be had. */
function moduleOf() {
  if (instance === undefined) {
    instance = instantiate<Module>([
      { ...shape, name: "horizontal", code: horizontal },
      { ...shape, name: "vertical", code: vertical },
    ]);
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
  grow(memory, total);
  const bytes = new Uint8Array(memory.buffer);
  bytes.set(lines);
  const hAt = writeAxis(memory.buffer, hTable, h, 0, 3);
  module.horizontal(0, stride, between, rowBytes, between + rows * rowBytes, ...hAt);
  const vAt = writeAxis(memory.buffer, vTable, v, firstRow, rowBytes);
  module.vertical(between, rowBytes, out, rowBytes, out + outRows * rowBytes, ...vAt);
  return bytes.subarray(out, out + outRows * rowBytes);
}
