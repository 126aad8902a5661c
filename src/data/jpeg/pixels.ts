import {
  add,
  add4,
  add8,
  advance,
  type Code,
  constant,
  get,
  left4,
  load64Zero,
  load128,
  narrow8,
  narrow16,
  right4,
  set,
  shuffle,
  splat,
  splat16,
  store64,
  store128,
  sub4,
  times4,
  times8,
  until,
  vector,
  type WasmFunction,
  when,
  wide16,
  wide32,
} from "../wasm.ts";

/*
 * From coefficients to RGB with the arithmetic of libjpeg's defaults, bit for bit: the accurate integer transform
 * (Loeffler, Ligtenberg and Moschytz 1989), triangle upsampling of halved chroma, YCbCr in 16 bits of fraction.
 */

// ---- inverse transform: idct(coefficients, to, stride, whether all but the first are 0)

const [COEFFICIENTS, AT, STRIDE, FLAT] = [0, 1, 2, 3];
/** Sixteen vectors: row or column i is X + i (elements 0 to 3) and X + 8 + i (4 to 7). */
const X = 4;
const T = X + 16;
const scaled = (value: Code, factor: number): Code => times4(value, splat(constant(factor)));

/** Eight vectors in place: the transform along them, shifted right with rounding. `at` gives the local of element i. */
function transform(at: (i: number) => number, shift: number): Code {
  const x = (i: number) => get(at(i));
  const [z1, t0, t1, t2, t3, e0, e1, e2, e3, z2, z3, z4] = Array.from({ length: 12 }, (_, i) => T + i);
  const half = splat(constant(1 << (shift - 1)));
  const out = (i: number, even: number, odd: number): Code => [
    set(at(i), right4(add4(get(even), get(odd)), shift)),
    set(at(7 - i), right4(sub4(get(even), get(odd)), shift)),
  ];
  return [
    set(z1, scaled(add4(x(2), x(6)), 4433)),
    set(t2, add4(get(z1), scaled(x(6), -15137))),
    set(t3, add4(get(z1), scaled(x(2), 6270))),
    // The rounding rides on the even part.
    set(t0, add4(left4(add4(x(0), x(4)), 13), half)),
    set(t1, add4(left4(sub4(x(0), x(4)), 13), half)),
    set(e0, add4(get(t0), get(t3))),
    set(e3, sub4(get(t0), get(t3))),
    set(e1, add4(get(t1), get(t2))),
    set(e2, sub4(get(t1), get(t2))),
    set(z3, add4(x(7), x(3))),
    set(z4, add4(x(5), x(1))),
    set(t0, scaled(add4(get(z3), get(z4)), 9633)),
    set(z3, add4(scaled(get(z3), -16069), get(t0))),
    set(z4, add4(scaled(get(z4), -3196), get(t0))),
    set(z1, scaled(add4(x(7), x(1)), -7373)),
    set(z2, scaled(add4(x(5), x(3)), -20995)),
    set(t0, add4(add4(scaled(x(7), 2446), get(z1)), get(z3))),
    set(t1, add4(add4(scaled(x(5), 16819), get(z2)), get(z4))),
    set(t2, add4(add4(scaled(x(3), 25172), get(z2)), get(z3))),
    set(t3, add4(add4(scaled(x(1), 12299), get(z1)), get(z4))),
    [out(0, e0, t3), out(1, e1, t2), out(2, e2, t1), out(3, e3, t0)],
  ];
}

const CENTRE = 128;
/** Elements of `bytes` bytes of a and b by turns: of their first halves, or their second. */
const interleave = (a: number, b: number, bytes: number, second: boolean): Code => {
  const lanes = Array.from({ length: 16 }, (_, i) => {
    const element = Math.floor(i / bytes);
    return (element % 2) * 16 + Math.floor(element / 2) * bytes + (i % bytes) + (second ? 8 : 0);
  });
  return shuffle(get(a), get(b), lanes);
};

/** One round of a transposition: the pairs of locals, interleaved, into `to`. */
const round = (pairs: readonly (readonly [number, number])[], bytes: number, to: number): Code =>
  pairs.flatMap(([a, b], i) => [
    set(to + 2 * i, interleave(a, b, bytes, false)),
    set(to + 2 * i + 1, interleave(a, b, bytes, true)),
  ]);

const pairs = (from: number, places: readonly number[]): (readonly [number, number])[] =>
  [0, 2, 4, 6].map((i) => [from + places[i], from + places[i + 1]] as const);

/** 8 x 8 of 16 bits, the rows in T to T + 7 -> the columns in X to X + 7. */
const transpose: Code = [
  round(pairs(T, [0, 1, 2, 3, 4, 5, 6, 7]), 2, X),
  round(pairs(X, [0, 2, 1, 3, 4, 6, 5, 7]), 4, T),
  round(pairs(T, [0, 4, 1, 5, 2, 6, 3, 7]), 8, X),
];

/** Saturates, as libjpeg's vector code does between its passes. */
const packed = (add128: boolean): Code =>
  Array.from({ length: 8 }, (_, i) => {
    const half = (at: number) => (add128 ? add4(get(at), splat(constant(CENTRE))) : get(at));
    return set(T + i, narrow16(half(X + i), half(X + 8 + i)));
  });

const unpacked: Code = Array.from({ length: 8 }, (_, i) => [
  set(X + 8 + i, [get(X + i), vector(0xa8)]),
  set(X + i, [get(X + i), vector(0xa7)]),
]);

const row = (i: number): Code => add(get(AT), times(get(STRIDE), i));
const times = (a: Code, n: number): Code => [a, constant(n), 0x6c];
const plain: Code = [
  set(T, load128(get(COEFFICIENTS))),
  // (4 dc + 16) / 32 + 128: what both passes come to.
  set(T, right4(add4(left4(get(T), 2), splat(constant(16 + 32 * CENTRE))), 5)),
  set(T, narrow16(get(T), get(T))),
  set(T, narrow8(get(T), get(T))),
  set(T, shuffle(get(T), get(T), new Array(16).fill(0))),
  Array.from({ length: 8 }, (_, i) => store64(row(i), get(T))),
];

const whole: Code = [
  Array.from({ length: 8 }, (_, i) => [
    set(X + i, load128(get(COEFFICIENTS), 32 * i)),
    set(X + 8 + i, load128(get(COEFFICIENTS), 32 * i + 16)),
  ]),
  transform((i) => X + i, 11),
  transform((i) => X + 8 + i, 11),
  [packed(false), transpose, unpacked],
  transform((i) => X + i, 18),
  transform((i) => X + 8 + i, 18),
  [packed(true), transpose],
  [0, 2, 4, 6].map((i) => [
    set(T, narrow8(get(X + i), get(X + i + 1))),
    store64(row(i), get(T)),
    store64(row(i + 1), get(T), 1),
  ]),
];

export const idct: WasmFunction = {
  name: "idct",
  parameters: 4,
  locals: [[28, "v128"]],
  code: when(get(FLAT), plain, whole),
};

// ---- upsampling: a row of n samples -> 2 n

// upsample(near row, far row, sums, to, n, weight of near, of far, rounding of even and odd ones, whether to shift by 4)
const [NEAR, FAR, SUMS, TO, COUNT, NEAR_BY, FAR_BY, EVEN, ODD, SHIFT] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const [UP_END, UP_S] = [10, 11];
const [UA, UB, UC] = [12, 13, 14];
const INTERLEAVED = [0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23];
const shifted = (sum: Code): Code => [sum, get(SHIFT), vector(0x8d)];

/** near * weight + far * weight, eight at a time, as 16 bits from SUMS on. */
const sumRows: Code = [
  set(UP_S, get(SUMS)),
  set(UP_END, add(get(SUMS), times(get(COUNT), 2))),
  until(UP_S, get(UP_END), [
    set(
      UA,
      add8(
        times8(wide16(load64Zero(get(NEAR))), splat16(get(NEAR_BY))),
        times8(wide16(load64Zero(get(FAR))), splat16(get(FAR_BY))),
      ),
    ),
    store128(get(UP_S), get(UA)),
    advance(UP_S, constant(16)),
    advance(NEAR, constant(8)),
    advance(FAR, constant(8)),
  ]),
];

/** 2 i: 3/4 of i and 1/4 of i - 1; 2 i + 1: 3/4 of i and 1/4 of i + 1. The neighbours of the ends are in place. */
const spread: Code = [
  set(UP_S, get(SUMS)),
  until(UP_S, get(UP_END), [
    set(UA, times8(load128(get(UP_S)), splat16(constant(3)))),
    set(UB, shifted(add8(add8(get(UA), load128(add(get(UP_S), constant(-2)))), splat16(get(EVEN))))),
    set(UC, shifted(add8(add8(get(UA), load128(get(UP_S), 2)), splat16(get(ODD))))),
    set(UB, narrow8(get(UB), get(UC))),
    store128(
      get(TO),
      shuffle(
        get(UB),
        get(UB),
        INTERLEAVED.map((lane) => (lane < 16 ? lane : lane - 8)),
      ),
    ),
    advance(UP_S, constant(16)),
    advance(TO, constant(16)),
  ]),
];

const upsampler = {
  parameters: 10,
  locals: [
    [2, "i32"],
    [3, "v128"],
  ],
} as const;
export const sums: WasmFunction = { ...upsampler, name: "sums", code: sumRows };
export const upsample: WasmFunction = {
  ...upsampler,
  name: "upsample",
  code: [set(UP_END, add(get(SUMS), times(get(COUNT), 2))), spread],
};

// ---- colour: color(y, cb, cr, to, end of to): rows of bytes -> RGB, eight pixels (24 bytes) at a time

const [CY, CB, CR, RGB, RGB_END] = [0, 1, 2, 3, 4];
const [WY, WB, WR, R, G, B, PAIR] = [5, 6, 7, 8, 9, 10, 11];
const HALF = 1 << 15;
const centredChroma = (words: Code): Code => sub4(words, splat(constant(128)));

/** Four pixels: the channel's sum for the low or high half of the words. */
const channel = (high: boolean, byBlue: number, byRed: number): Code => {
  const blue = byBlue ? scaled(centredChroma(wide32(get(WB), high)), byBlue) : undefined;
  const red = byRed ? scaled(centredChroma(wide32(get(WR), high)), byRed) : undefined;
  const sum = blue && red ? add4(blue, red) : ((blue ?? red) as Code);
  return add4(wide32(get(WY), high), right4(add4(sum, splat(constant(HALF))), 16));
};
const eight = (byBlue: number, byRed: number): Code =>
  narrow16(channel(false, byBlue, byRed), channel(true, byBlue, byRed));

/** r0 g0 b0 r1 ... of [r 0 to 7, g 0 to 7] and [b 0 to 7]. */
const TRIPLES = Array.from({ length: 24 }, (_, i) => [0, 8, 16][i % 3] + Math.floor(i / 3));

export const color: WasmFunction = {
  name: "color",
  parameters: 5,
  locals: [[7, "v128"]],
  code: until(RGB, get(RGB_END), [
    set(WY, wide16(load64Zero(get(CY)))),
    set(WB, wide16(load64Zero(get(CB)))),
    set(WR, wide16(load64Zero(get(CR)))),
    set(R, eight(0, 91881)),
    set(G, eight(-22554, -46802)),
    set(B, eight(116130, 0)),
    set(PAIR, narrow8(get(R), get(G))),
    set(B, narrow8(get(B), get(B))),
    store128(get(RGB), shuffle(get(PAIR), get(B), TRIPLES.slice(0, 16))),
    store64(add(get(RGB), constant(16)), shuffle(get(PAIR), get(B), [...TRIPLES.slice(16), ...new Array(8).fill(0)])),
    advance(CY, constant(8)),
    advance(CB, constant(8)),
    advance(CR, constant(8)),
    advance(RGB, constant(24)),
  ]),
};

// ---- the scan's bytes: unstuff(from, end, to) -> the end of what was written; 0xff 0x00 becomes 0xff

const [FROM, FROM_END, OUT] = [0, 1, 2];
const [BYTE] = [3];
const V = 4;

export const unstuff: WasmFunction = {
  name: "unstuff",
  parameters: 3,
  result: "i32",
  locals: [
    [1, "i32"],
    [1, "v128"],
  ],
  code: [
    until(FROM, get(FROM_END), [
      set(V, load128(get(FROM))),
      when(
        // any byte 0xff among sixteen
        [get(V), [vector(0x0c), new Array(16).fill(255)], vector(0x23), vector(0x53)],
        [
          set(BYTE, [get(FROM), 0x2d, 0, 0]),
          [get(OUT), get(BYTE), 0x3a, 0, 0],
          advance(OUT, constant(1)),
          advance(FROM, [constant(1), [get(BYTE), constant(255), 0x46], 0x6a]),
        ],
        [store128(get(OUT), get(V)), advance(OUT, constant(16)), advance(FROM, constant(16))],
      ),
    ]),
    get(OUT),
  ],
};

// ---- words(from, end): big-endian 32-bit words for the bit buffer, in place

const SWAP = [3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12];

export const words: WasmFunction = {
  name: "words",
  parameters: 2,
  locals: [],
  code: until(0, get(1), [store128(get(0), shuffle(load128(get(0)), load128(get(0)), SWAP)), advance(0, constant(16))]),
};
