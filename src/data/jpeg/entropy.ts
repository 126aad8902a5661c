import {
  add,
  advance,
  type Code,
  constant,
  doWhile,
  get,
  load,
  set,
  store128,
  until,
  vector,
  type WasmFunction,
  when,
} from "../wasm.ts";

/*
 * Huffman decoding of baseline scans (ITU T.81, annex F.2.2), a row of MCUs a call. The bit buffer is the high end of
 * 64 bits, filled up with 32 whenever it holds fewer: a code and its extra bits are at most 16 + 11.
 */

/** Bits that a table is looked up by. */
export const LOOK = 10;

/*
 * A table: 2^LOOK entries of 32 bits, then for each length 0 to 17 the first code beyond it, left-aligned to 16 bits,
 * then for each length what to add to a code for its place among the symbols, then the symbols, 32 bits each.
 * An entry: bits to take (bits 0 to 4), whether the value is known (5), run (8 to 15) or symbol, value (16 to 31).
 * Entry 0: the code is longer.
 */
export const BEYOND = 4 << LOOK;
export const PLACES = BEYOND + 4 * 18;
export const SYMBOLS = PLACES + 4 * 18;
export const TABLE_BYTES = SYMBOLS + 4 * 256;
const KNOWN = 32;
/** The run of an end of block: beyond any other. */
export const END = 128;

/** The state of the bits, in memory: buffer (64 bits), bits in it, place of the next 32. */
export const STATE_BYTES = 16;

/** A block of the MCU: addresses of its tables, of its component's last DC, of its place in the plane; steps. */
export const BLOCK = { dc: 0, ac: 4, quant: 8, last: 12, at: 16, stride: 20, step: 24 } as const;
export const BLOCK_BYTES = 28;

// entropy(state, blocks, end of blocks, MCUs, first and end of those to keep, coefficients, zigzag) -> 1, or 0: damaged
const [STATE, BLOCKS, BLOCKS_END, MCUS, FROM, TO, COEFFICIENTS, ZIGZAG] = [0, 1, 2, 3, 4, 5, 6, 7];
const [N, P, M, B, K, E, TABLE, Q, V, S, KEEP, CODE, SIZES] = [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
const BITS = 21;
/** Coefficients of 8-bit samples stay below 1024 and half a step; larger ones tell of damage. */
const MOST = 2047;

const op = (...codes: Code): Code => codes;
const sub = (a: Code, b: Code): Code => op(a, b, 0x6b);
const and = (a: Code, b: Code): Code => op(a, b, 0x71);
const shiftLeft = (a: Code, b: Code): Code => op(a, b, 0x74);
const shiftRight = (a: Code, b: Code): Code => op(a, b, 0x76);
const below = (a: Code, b: Code): Code => op(a, b, 0x48);
const load64 = (at: Code): Code => op(at, 0x29, 0, 0);
const load32As64 = (at: Code): Code => op(at, 0x35, 0, 0);
const wide = (a: Code): Code => op(a, 0xad);
const shiftLeft64 = (a: Code, b: Code): Code => op(a, wide(b), 0x86);
const store32At = (at: Code, value: Code, offset = 0): Code => op(at, value, 0x36, 0, offset);
/** The first `bits` bits. */
const peek = (bits: Code): Code => op(get(BITS), wide(sub(constant(64), bits)), 0x88, 0xa7);
const take = (bits: Code): Code => [set(BITS, shiftLeft64(get(BITS), bits)), set(N, sub(get(N), bits))];
const refill: Code = when(below(get(N), constant(32)), [
  set(BITS, op(get(BITS), shiftLeft64(load32As64(get(P)), sub(constant(32), get(N))), 0x84)),
  advance(P, constant(4)),
  advance(N, constant(32)),
]);
const damaged: Code = [constant(0), 0x0f];

/** E: the entry of the next code in TABLE, or one made from a longer code. */
const lookUp: Code = [
  refill,
  set(E, load(add(get(TABLE), shiftLeft(peek(constant(LOOK)), constant(2))))),
  when(op(get(E), 0x45), [
    set(CODE, peek(constant(16))),
    set(S, constant(LOOK)),
    doWhile(
      [advance(S, constant(1)), when(op(get(S), constant(16), 0x4a), damaged)],
      op(get(CODE), load(add(get(TABLE), shiftLeft(get(S), constant(2))), BEYOND), 0x4e),
    ),
    set(V, shiftRight(get(CODE), sub(constant(16), get(S)))),
    set(V, add(get(V), load(add(get(TABLE), shiftLeft(get(S), constant(2))), PLACES))),
    set(E, load(add(get(TABLE), shiftLeft(and(get(V), constant(255)), constant(2))), SYMBOLS)),
    set(E, op(get(E), get(S), 0x72)),
  ]),
  take(and(get(E), constant(31))),
];

/** V: the value that S extra bits stand for (F.2.2.1, EXTEND). */
const extend: Code = [
  set(V, peek(get(S))),
  take(get(S)),
  when(below(get(V), shiftLeft(constant(1), sub(get(S), constant(1)))), [
    set(V, add(sub(get(V), shiftLeft(constant(1), get(S))), constant(1))),
  ]),
];

const field = (name: keyof typeof BLOCK): Code => load(get(B), BLOCK[name]);

/** V times its step; SIZES gathers the bits of all magnitudes. */
const put = (at: Code, step: Code): Code => [
  set(V, op(get(V), step, 0x6c)),
  set(SIZES, op(get(SIZES), op(get(V), op(get(V), constant(31), 0x75), 0x73), 0x72)),
  store32At(at, get(V)),
];

const dc: Code = [
  set(TABLE, field("dc")),
  lookUp,
  set(V, constant(0)),
  when(and(get(E), constant(KNOWN)), set(V, op(get(E), constant(16), 0x75)), [
    set(S, and(shiftRight(get(E), constant(8)), constant(15))),
    when(get(S), extend),
  ]),
  set(Q, field("last")),
  set(V, add(get(V), load(get(Q)))),
  store32At(get(Q), get(V)),
  set(Q, field("quant")),
  put(get(COEFFICIENTS), load(get(Q))),
];

const ac: Code = [
  set(TABLE, field("ac")),
  set(K, constant(1)),
  doWhile(
    [
      lookUp,
      set(V, op(get(E), constant(16), 0x75)),
      set(S, and(shiftRight(get(E), constant(8)), constant(255))),
      when(and(get(E), constant(KNOWN)), advance(K, get(S)), [
        advance(K, shiftRight(get(S), constant(4))),
        set(S, and(get(S), constant(15))),
        extend,
      ]),
      when(below(get(K), constant(64)), [
        put(
          add(get(COEFFICIENTS), load(add(get(ZIGZAG), shiftLeft(get(K), constant(2))))),
          load(add(get(Q), shiftLeft(get(K), constant(2)))),
        ),
      ]),
      advance(K, constant(1)),
    ],
    below(get(K), constant(64)),
  ),
  when(op(get(K), constant(64), 0x4a), when(below(get(K), constant(END)), damaged)),
];

const clear: Code = Array.from({ length: 16 }, (_, i) =>
  store128(get(COEFFICIENTS), [vector(0x0c), new Array(16).fill(0)], 16 * i),
);

/** Calls the inverse transform, the module's function 1. */
const keep: Code = [
  [get(COEFFICIENTS), field("at"), field("stride"), op(get(K), constant(END + 2), 0x46), 0x10, 1],
  store32At(get(B), add(field("at"), field("step")), BLOCK.at),
];

const code: Code = [
  set(BITS, load64(get(STATE))),
  set(N, load(get(STATE), 8)),
  set(P, load(get(STATE), 12)),
  clear,
  until(M, get(MCUS), [
    set(KEEP, op(op(get(M), get(FROM), 0x4f), op(get(M), get(TO), 0x49), 0x71)),
    set(B, get(BLOCKS)),
    until(B, get(BLOCKS_END), [
      when(get(KEEP), clear),
      dc,
      ac,
      when(get(KEEP), keep),
      advance(B, constant(BLOCK_BYTES)),
    ]),
    advance(M, constant(1)),
  ]),
  op(get(STATE), get(BITS), 0x37, 0, 0),
  store32At(get(STATE), get(N), 8),
  store32At(get(STATE), get(P), 12),
  op(get(SIZES), constant(MOST), 0x4d),
];

export const entropy: WasmFunction = {
  name: "entropy",
  parameters: 8,
  result: "i32",
  locals: [
    [13, "i32"],
    [1, "i64"],
  ],
  code,
};

const KNOWN_SHIFT = 16;

/** The value of `size` extra bits. */
const extended = (bits: number, size: number): number => (bits < 1 << (size - 1) ? bits - (1 << size) + 1 : bits);

/**
 * A table as `entropy` reads it, from the 16 counts of codes by length and their symbols (T.81, annex C).
 * Undefined where the counts are no prefix code, or a symbol has more bits than a baseline scan can.
 */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array, isDc: boolean): Int32Array | undefined {
  const table = new Int32Array(TABLE_BYTES / 4);
  let code = 0;
  let place = 0;
  for (let length = 1; length <= 16; length++) {
    table[PLACES / 4 + length] = place - code;
    for (let i = 0; i < counts[length - 1]; i++, code++, place++) {
      const symbol = symbols[place];
      if (isDc ? symbol > 11 : (symbol & 15) > 10 || ((symbol & 15) === 0 && ![0, 0xf0].includes(symbol))) {
        return undefined;
      }
      table[SYMBOLS / 4 + place] = entryOf(symbol, isDc);
      if (length <= LOOK) fillEntries(table, code, length, symbol, isDc);
    }
    if (code > 1 << length) return undefined;
    table[BEYOND / 4 + length] = code << (16 - length);
    code <<= 1;
  }
  return table;
}

/** Without its length: known at once where no extra bits follow. */
function entryOf(symbol: number, isDc: boolean): number {
  if (isDc) return symbol === 0 ? KNOWN : symbol << 8;
  if (symbol === 0) return KNOWN | (END << 8);
  return symbol === 0xf0 ? KNOWN | (15 << 8) : symbol << 8;
}

/** All entries that begin with a code; where its extra bits fit as well, with the value. */
function fillEntries(table: Int32Array, code: number, length: number, symbol: number, isDc: boolean): void {
  const rest = LOOK - length;
  const size = isDc ? symbol : symbol & 15;
  for (let tail = 0; tail < 1 << rest; tail++) {
    const at = (code << rest) | tail;
    if (size === 0 || size > rest) table[at] = entryOf(symbol, isDc) | length;
    else {
      const run = isDc ? 0 : symbol >> 4;
      const value = extended(tail >> (rest - size), size);
      table[at] = KNOWN | (length + size) | (run << 8) | (value << KNOWN_SHIFT);
    }
  }
}
