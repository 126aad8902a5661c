/** An assembler for small WebAssembly modules written in the source: code is nested lists of bytes. */
export type Code = (number | Code)[];

export const flat = (code: Code): number[] => code.flatMap((part) => (typeof part === "number" ? part : flat(part)));

/** Signed LEB128 of a 32-bit integer. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  for (;;) {
    const low = value & 0x7f;
    value >>= 7;
    if ((value === 0 && !(low & 0x40)) || (value === -1 && low & 0x40)) return bytes.concat(low);
    bytes.push(low | 0x80);
  }
}

const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >> 7)];

export const get = (local: number): Code => [0x20, unsigned(local)];
export const set = (local: number, value: Code): Code => [value, 0x21, unsigned(local)];
export const constant = (value: number): Code => [0x41, leb(value)];
export const add = (a: Code, b: Code): Code => [a, b, 0x6a];
export const times = (a: Code, b: Code): Code => [a, b, 0x6c];
export const load = (at: Code, offset = 0): Code => [at, 0x28, 0, unsigned(offset)];
export const advance = (local: number, by: Code): Code => set(local, add(get(local), by));
/** do body while (condition). */
export const doWhile = (body: Code, condition: Code): Code => [0x03, 0x40, body, condition, 0x0d, 0, 0x0b];
/** do body while (local < limit), both unsigned. */
export const until = (local: number, limit: Code, body: Code): Code => doWhile(body, [get(local), limit, 0x49]);
export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...[condition, 0x04, 0x40, then],
  ...(otherwise.length > 0 ? [0x05, otherwise] : []),
  0x0b,
];

export const vector = (op: number): Code => [0xfd, unsigned(op)];
export const load128 = (at: Code, offset = 0): Code => [at, vector(0x00), 0, unsigned(offset)];
export const load64Zero = (at: Code): Code => [at, vector(0x5d), 0, 0];
export const load32Zero = (at: Code): Code => [at, vector(0x5c), 0, 0];
export const load32Splat = (at: Code): Code => [at, vector(0x09), 0, 0];
export const store128 = (at: Code, value: Code, offset = 0): Code => [at, value, vector(0x0b), 0, unsigned(offset)];
/** One lane of 64 bits. */
export const store64 = (at: Code, value: Code, lane = 0): Code => [at, value, vector(0x5b), 0, 0, lane];
export const store32 = (at: Code, value: Code): Code => [at, value, vector(0x5a), 0, 0, 0];
/** Bytes of a (0 to 15) and b (16 to 31). */
export const shuffle = (a: Code, b: Code, lanes: readonly number[]): Code => [a, b, vector(0x0d), [...lanes]];
export const splat = (value: Code): Code => [value, vector(0x11)];
export const splat16 = (value: Code): Code => [value, vector(0x10)];
/** Unsigned bytes to 16 bits, unsigned 16 bits to 32. */
export const wide16 = (bytes: Code, high = false): Code => [bytes, vector(high ? 0x8a : 0x89)];
export const wide32 = (words: Code, high = false): Code => [words, vector(high ? 0xaa : 0xa9)];
export const add4 = (a: Code, b: Code): Code => [a, b, vector(0xae)];
export const sub4 = (a: Code, b: Code): Code => [a, b, vector(0xb1)];
export const times4 = (a: Code, b: Code): Code => [a, b, vector(0xb5)];
export const left4 = (a: Code, bits: number): Code => [a, constant(bits), vector(0xab)];
export const right4 = (a: Code, bits: number): Code => [a, constant(bits), vector(0xac)];
export const add8 = (a: Code, b: Code): Code => [a, b, vector(0x8e)];
export const times8 = (a: Code, b: Code): Code => [a, b, vector(0x95)];
/** Two vectors to one of half the width, saturating: signed 32 to 16 bits, signed 16 bits to unsigned bytes. */
export const narrow16 = (a: Code, b: Code): Code => [a, b, vector(0x85)];
export const narrow8 = (a: Code, b: Code): Code => [a, b, vector(0x66)];

const VALUE = { i32: 0x7f, i64: 0x7e, v128: 0x7b } as const;
type ValueType = keyof typeof VALUE;

export interface WasmFunction {
  name: string;
  /** All of them i32; locals come after, in order. */
  parameters: number;
  result?: ValueType;
  locals: readonly (readonly [count: number, type: ValueType])[];
  code: Code;
}

const sized = (code: Code): Code => {
  const bytes = flat(code);
  return [unsigned(bytes.length), bytes];
};
const section = (id: number, body: Code): Code => [id, sized(body)];
const text = (name: string): Code => sized([...name].map((c) => c.charCodeAt(0)));

/** A module that exports its memory (one page at first) and its functions, which may call each other by place. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const count = unsigned(functions.length);
  const types = functions.map(
    ({ parameters, result }): Code => [
      ...[0x60, unsigned(parameters), new Array(parameters).fill(VALUE.i32)],
      ...(result ? [1, VALUE[result]] : [0]),
    ],
  );
  const bodies = functions.map(({ locals, code }) =>
    sized([locals.length, locals.map(([n, type]): Code => [unsigned(n), VALUE[type]]), code, 0x0b]),
  );
  const module: Code = [
    [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    section(1, [count, types]),
    section(3, [count, functions.map((_, i) => unsigned(i))]),
    section(5, [1, 0, 1]),
    section(7, [
      unsigned(functions.length + 1),
      [text("memory"), 2, 0],
      functions.map(({ name }, i): Code => [text(name), 0, unsigned(i)]),
    ]),
    section(10, [count, bodies]),
  ];
  return new Uint8Array(flat(module));
}

/** The exports of a module; null where vectors are not to be had. */
export function instantiate<T>(functions: readonly WasmFunction[]): (T & { memory: WebAssembly.Memory }) | null {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assemble(functions)));
    return exports as unknown as T & { memory: WebAssembly.Memory };
  } catch {
    return null;
  }
}

/** At least so many bytes of memory. */
export function grow(memory: WebAssembly.Memory, bytes: number): void {
  if (memory.buffer.byteLength < bytes) memory.grow(Math.ceil((bytes * 1.2 - memory.buffer.byteLength) / 65536));
}
