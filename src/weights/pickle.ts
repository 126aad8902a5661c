import type { Refuse } from "./byte-source.ts";
import { quoted } from "./header-scanner.ts";

// Python's pickle is a program for a stack machine (opcodes: Lib/pickletools.py). This reader knows only the opcodes that
// build data, and calls only what `globals` gives it; a name that is not in that table ends the reading. Nothing of the
// file is ever run.

/** What a pickle may hold: plain values, and what the allowed callables make. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly PickleValue[]
  | ReadonlyMap<PickleValue, PickleValue>
  | object;

/** A Python callable, stood for by a function of ours. */
export class Callable {
  readonly name: string;
  readonly call: (args: readonly PickleValue[]) => PickleValue;

  constructor(name: string, call: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.call = call;
  }
}

export interface PickleOptions {
  /** Names that may appear, as "module name". */
  readonly globals: ReadonlyMap<string, PickleValue>;
  /** Stands for an object that the pickle names but does not hold. */
  readonly persistent: (id: PickleValue) => PickleValue;
  readonly fail: Refuse;
}

/** Bounds what a bad file can cost. A tensor of a state dict takes about 40 instructions, of them 6 containers. */
const MAX_STEPS = 12_000_000;
const MAX_CONTAINERS = 3_000_000;
const MAX_MEMO = 4_000_000;
const MAX_STACK = 1_000_000;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const MARK = Symbol("mark");
type Item = PickleValue | typeof MARK;

/** The value that a pickle (protocols 2 to 5) builds. Calls options.fail on anything that is not plain data. */
export const readPickle = (bytes: Uint8Array, options: PickleOptions): PickleValue =>
  new PickleMachine(bytes, options).run();

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #options: PickleOptions;
  readonly #stack: Item[] = [];
  readonly #memo: PickleValue[] = [];
  #at = 0;
  #containers = 0;

  constructor(bytes: Uint8Array, options: PickleOptions) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#options = options;
  }

  run(): PickleValue {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const opcode = this.#u8();
      if (opcode === 0x2e) return this.#pop(); // STOP
      const step = OPCODES.get(opcode);
      if (!step) this.fail(`unknown instruction 0x${opcode.toString(16)}`);
      else step(this);
      if (this.#stack.length > MAX_STACK) this.fail("too many values at once");
    }
    return this.fail("too many instructions");
  }

  fail(what: string): never {
    return this.#options.fail(`not a state dict: ${what} (byte ${this.#at} of its pickle)`);
  }

  // --- operands

  #need(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.byteLength - at) this.fail("it is cut short");
    this.#at += length;
    return at;
  }

  #u8 = (): number => this.#view.getUint8(this.#need(1));
  u8 = (): number => this.#u8();
  u16 = (): number => this.#view.getUint16(this.#need(2), true);
  u32 = (): number => this.#view.getUint32(this.#need(4), true);
  i32 = (): number => this.#view.getInt32(this.#need(4), true);
  f64 = (): number => this.#view.getFloat64(this.#need(8), false);

  u64(): number {
    const value = this.#view.getBigUint64(this.#need(8), true);
    return value > BigInt(Number.MAX_SAFE_INTEGER) ? this.fail("a length beyond the file") : Number(value);
  }

  bytes(length: number): Uint8Array {
    const at = this.#need(length);
    return this.#bytes.subarray(at, at + length);
  }

  text(length: number): string {
    const bytes = this.bytes(length);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail("text that is not UTF-8");
    }
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) this.fail("a name without an end");
    const text = this.text(end - this.#at);
    this.#at++;
    return text;
  }

  /** Two's complement, little-endian. */
  long(length: number): number {
    if (length > 8) this.fail("a whole number beyond 64 bits");
    let value = 0n;
    this.bytes(length).forEach((byte, i) => {
      value |= BigInt(byte) << BigInt(8 * i);
    });
    const signed = Number(BigInt.asIntN(8 * length, value));
    return Number.isSafeInteger(signed) ? signed : this.fail(`the whole number ${signed}`);
  }

  // --- stack

  push(value: Item): void {
    this.#stack.push(value);
  }

  /** Pushes a container, of which there may be so many. */
  made(value: PickleValue): void {
    if (++this.#containers > MAX_CONTAINERS) this.fail("too many containers");
    this.#stack.push(value);
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    return value === undefined || value === MARK ? this.fail("a value is missing") : (value as PickleValue);
  }
  pop = (): PickleValue => this.#pop();

  top(): PickleValue {
    const value = this.#stack[this.#stack.length - 1];
    return value === undefined || value === MARK ? this.fail("a value is missing") : (value as PickleValue);
  }

  popMany(count: number): PickleValue[] {
    const items = new Array<PickleValue>(count);
    for (let i = count - 1; i >= 0; i--) items[i] = this.#pop();
    return items;
  }

  /** The values above the last mark. */
  popMark(): PickleValue[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) this.fail("a mark is missing");
    const items = this.#stack.slice(at + 1);
    this.#stack.length = at;
    return items as PickleValue[];
  }

  put(index: number): void {
    if (index > this.#memo.length || index > MAX_MEMO) this.fail(`value ${index} is remembered out of order`);
    this.#memo[index] = this.top();
  }
  memoize = (): void => this.put(this.#memo.length);

  get(index: number): void {
    const value = this.#memo[index];
    if (value === undefined) this.fail(`value ${index} was not remembered`);
    else this.push(value);
  }

  // --- building

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) this.fail("an append to what is no list");
    else for (const item of items) list.push(item);
  }

  setItems(items: readonly PickleValue[]): void {
    const map = this.top();
    if (!(map instanceof Map) || items.length % 2) this.fail("an entry for what is no dict");
    else for (let i = 0; i < items.length; i += 2) map.set(items[i], items[i + 1]);
  }

  global(module: PickleValue, name: PickleValue): void {
    const found = this.#options.globals.get(`${module} ${name}`);
    if (found === undefined)
      this.#options.fail(
        `its pickle names ${quoted(`${module}.${name}`)}, which is no tensor: refused, nothing was run`,
        "Save the weights alone: torch.save(model.state_dict(), FILE)",
      );
    else this.push(found);
  }

  reduce(): void {
    const [callable, args] = this.popMany(2);
    if (!(callable instanceof Callable) || !Array.isArray(args)) this.fail("a call of what cannot be called");
    else this.made(callable.call(args));
  }

  persistent(): void {
    this.made(this.#options.persistent(this.#pop()));
  }

  /** State beside an OrderedDict's entries (PyTorch's `_metadata`) is left out. */
  build(): void {
    const [object] = this.popMany(2);
    if (!(object instanceof Map)) this.fail("a state for what is no dict");
    this.push(object);
  }
}

const dictOf = (items: PickleValue[], m: PickleMachine): Map<PickleValue, PickleValue> => {
  if (items.length % 2) m.fail("a dict of odd length");
  return new Map(Array.from({ length: items.length / 2 }, (_, i) => [items[2 * i], items[2 * i + 1]]));
};

const OPCODES: ReadonlyMap<number, (m: PickleMachine) => void> = new Map<number, (m: PickleMachine) => void>([
  [0x80, (m) => void (m.u8() <= 5 || m.fail("a newer protocol"))], // PROTO
  [0x95, (m) => void m.u64()], // FRAME
  [0x28, (m) => m.push(MARK)], // MARK
  [0x30, (m) => void m.pop()], // POP
  [0x4e, (m) => m.push(null)], // NONE
  [0x88, (m) => m.push(true)], // NEWTRUE
  [0x89, (m) => m.push(false)], // NEWFALSE
  [0x4b, (m) => m.push(m.u8())], // BININT1
  [0x4d, (m) => m.push(m.u16())], // BININT2
  [0x4a, (m) => m.push(m.i32())], // BININT
  [0x8a, (m) => m.push(m.long(m.u8()))], // LONG1
  [0x47, (m) => m.push(m.f64())], // BINFLOAT
  [0x58, (m) => m.push(m.text(m.u32()))], // BINUNICODE
  [0x8c, (m) => m.push(m.text(m.u8()))], // SHORT_BINUNICODE
  [0x8d, (m) => m.push(m.text(m.u64()))], // BINUNICODE8
  [0x42, (m) => m.made(m.bytes(m.u32()))], // BINBYTES
  [0x43, (m) => m.made(m.bytes(m.u8()))], // SHORT_BINBYTES
  [0x29, (m) => m.made([])], // EMPTY_TUPLE
  [0x85, (m) => m.made(m.popMany(1))], // TUPLE1
  [0x86, (m) => m.made(m.popMany(2))], // TUPLE2
  [0x87, (m) => m.made(m.popMany(3))], // TUPLE3
  [0x74, (m) => m.made(m.popMark())], // TUPLE
  [0x5d, (m) => m.made([])], // EMPTY_LIST
  [0x6c, (m) => m.made(m.popMark())], // LIST
  [0x61, (m) => m.append([m.pop()])], // APPEND
  [0x65, (m) => m.append(m.popMark())], // APPENDS
  [0x7d, (m) => m.made(new Map())], // EMPTY_DICT
  [0x64, (m) => m.made(dictOf(m.popMark(), m))], // DICT
  [0x73, (m) => m.setItems(m.popMany(2))], // SETITEM
  [0x75, (m) => m.setItems(m.popMark())], // SETITEMS
  [0x71, (m) => m.put(m.u8())], // BINPUT
  [0x72, (m) => m.put(m.u32())], // LONG_BINPUT
  [0x94, (m) => m.memoize()], // MEMOIZE
  [0x68, (m) => m.get(m.u8())], // BINGET
  [0x6a, (m) => m.get(m.u32())], // LONG_BINGET
  [0x63, (m) => m.global(m.line(), m.line())], // GLOBAL
  [
    0x93, // STACK_GLOBAL
    (m) => {
      const [module, name] = m.popMany(2);
      m.global(String(module).slice(0, 200), String(name).slice(0, 200));
    },
  ],
  [0x52, (m) => m.reduce()], // REDUCE
  [0x51, (m) => m.persistent()], // BINPERSID
  [0x62, (m) => m.build()], // BUILD
]);
