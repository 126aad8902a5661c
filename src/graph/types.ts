import { TesseraeError } from "../errors.ts";

/** Element types, by their ONNX names in the spelling of numpy. */
export type DType =
  | "float32"
  | "float64"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint64"
  | "uint32"
  | "uint16"
  | "uint8"
  | "bool";

/**
 * Sizes along each axis. A negative size -k stands for k·N, where N is the free batch of an inference
 * program: products and quotients of sizes then need no special case, and at most one axis may be free.
 */
export type Shape = readonly number[];

/** The free batch N. */
export const N = -1;

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

/** A plain array for evaluation on the host: row-major, every dtype held in doubles. */
export interface NdArray {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** Values on the host in the dtype's own array. */
export type TypedArray =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

export interface TensorData extends TensorType {
  readonly data: TypedArray;
}

export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

/** "[2, 3, N]"; a free axis prints as N, 4N... */
export const showShape = (shape: Shape): string =>
  `[${shape.map((d) => (d >= 0 ? d : d === -1 ? "N" : `${-d}N`)).join(", ")}]`;

export const isFloat = (dtype: DType): boolean => dtype.startsWith("float") || dtype === "bfloat16";

/** Numpy broadcasting of any number of shapes. */
export function broadcastShapes(...shapes: Shape[]): Shape {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const d = shape[axis - rank + shape.length] ?? 1;
      if (d === 1 || d === size) continue;
      if (size !== 1) throw new TesseraeError("shape", `cannot broadcast ${shapes.map(showShape).join(" with ")}`);
      size = d;
    }
    return size;
  });
}

/** axis in [-rank, rank) to [0, rank). */
export function normalizeAxis(axis: number, rank: number): number {
  if (axis < -rank || axis >= rank) throw new TesseraeError("shape", `axis ${axis} is out of range for rank ${rank}`);
  return axis < 0 ? axis + rank : axis;
}

/** Row-major strides. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let s = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = s;
    s *= shape[i];
  }
  return strides;
}

/** The host array of each dtype; float16 and bfloat16 are raw 16-bit words, bool one byte each. */
export const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  bfloat16: Uint16Array,
  int64: BigInt64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint64: BigUint64Array,
  uint32: Uint32Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/** A zeroed host array of the dtype (float16 and bfloat16 as raw 16-bit words). */
export const allocate = (dtype: DType, size: number): TypedArray => new ARRAYS[dtype](size);

/** Bytes of one element. */
export const byteSize = (dtype: DType): number => ARRAYS[dtype].BYTES_PER_ELEMENT;

/** Host values converted from doubles: rounds to float32, wraps integers, widens to bigint where needed. */
export function fromDoubles(dtype: DType, values: ArrayLike<number>): TypedArray {
  if (dtype === "int64") return BigInt64Array.from(values as number[], (v) => BigInt(Math.trunc(v)));
  if (dtype === "uint64") return BigUint64Array.from(values as number[], (v) => BigInt(Math.trunc(v)));
  if (dtype === "float16" || dtype === "bfloat16")
    throw new TesseraeError("internal", `no host conversion to ${dtype}`);
  return ARRAYS[dtype].from(values as number[]);
}

/** Host values as doubles. */
export const toDoubles = (data: TypedArray): Float64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Float64Array.from(data as BigInt64Array, Number)
    : Float64Array.from(data);
