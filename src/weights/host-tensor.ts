import { TesseraeError } from "../errors.ts";
import { halfTable } from "../graph/half.ts";
import { ARRAYS, byteSize, type DType, sizeOf, type TensorData, type TypedArray } from "../graph/types.ts";

/**
 * A tensor in host memory, row-major, every size concrete. float16 and bfloat16 hold their bits in a Uint16Array, bool
 * one byte each.
 */
export type HostTensor = TensorData;

type ArrayKind = new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => TypedArray;

const arrays: Readonly<Record<DType, ArrayKind>> = ARRAYS;

/** Checks that `data` is the array kind of `dtype` and as long as `shape` asks; throws TesseraeError("shape"). */
export function hostTensor(dtype: DType, shape: readonly number[], data: TypedArray): HostTensor {
  if (!(data instanceof arrays[dtype]))
    throw new TesseraeError("shape", `${dtype} needs a ${arrays[dtype].name}, not a ${data.constructor.name}`);
  if (data.length !== sizeOf(shape))
    throw new TesseraeError("shape", `shape [${shape}] needs ${sizeOf(shape)} elements, not ${data.length}`);
  return { dtype, shape, data };
}

/** The tensor's memory as bytes: a view, no copy. */
export const bytesOf = ({ data }: HostTensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** A tensor over `bytes`: a view where they are aligned to the element size, a copy where not. */
export function tensorFromBytes(dtype: DType, shape: readonly number[], bytes: Uint8Array): HostTensor {
  const size = byteSize(dtype);
  const { buffer, byteOffset } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // Buffer.slice would not copy
  return { dtype, shape, data: new arrays[dtype](buffer, byteOffset, bytes.byteLength / size) };
}

/** The values as float32: the tensor's own array where it is float32 already, else a new one. 64-bit integers are rounded. */
export function toFloat32({ dtype, data }: HostTensor): Float32Array {
  if (data instanceof Float32Array) return data;
  const out = new Float32Array(data.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let i = 0; i < out.length; i++) out[i] = Number(data[i]);
  } else if (dtype === "float16") {
    const table = halfTable();
    for (let i = 0; i < out.length; i++) out[i] = table[data[i]];
  } else if (dtype === "bfloat16") {
    const bits = new Uint32Array(out.buffer); // bfloat16 = the upper half of a float32
    for (let i = 0; i < out.length; i++) bits[i] = data[i] << 16;
  } else {
    out.set(data);
  }
  return out;
}
