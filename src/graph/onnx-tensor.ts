import { TesseraeError } from "../errors.ts";
import { DATA_TYPES } from "./onnx.ts";
import { type TensorProto, TensorProto_DataLocation } from "./onnx_pb.ts";
import { allocate, byteSize, type DType, sizeOf, type TensorData, type TypedArray } from "./types.ts";

const DTYPES = new Map(Object.entries(DATA_TYPES).map(([dtype, code]) => [code as number, dtype as DType]));

/** Files beside a model, by the location that its tensors name. */
export type ExternalFiles = ReadonlyMap<string, Uint8Array>;

const broken = (what: string, where?: string): TesseraeError => new TesseraeError("weights", what, { where });

/** The element type of an ONNX code. Throws TesseraeError("weights") for strings, complex numbers and 4- and 8-bit floats. */
export function dtypeOf(code: number, where: string): DType {
  const dtype = DTYPES.get(code);
  if (!dtype) throw broken(`element type ${code} is not supported`, where);
  return dtype;
}

/**
 * A tensor's values: raw bytes, typed fields, or a stretch of an external file. The memory taken is that of the bytes
 * given, whatever its shape says. Throws TesseraeError("weights").
 */
export function tensorOf(t: TensorProto, files: ExternalFiles = new Map()): TensorData {
  const dtype = dtypeOf(t.dataType, t.name);
  const shape = t.dims.map(Number);
  const count = sizeOf(shape);
  if (shape.some((d) => d < 0) || !Number.isSafeInteger(count))
    throw broken(`the shape [${shape}] is impossible`, t.name);
  const external = t.dataLocation === TensorProto_DataLocation.EXTERNAL;
  const typed = [t.floatData, t.doubleData, t.int32Data, t.int64Data, t.uint64Data].find((list) => list.length > 0);
  if (typed && !external) {
    if (typed.length !== count) throw broken(`${typed.length} values for the shape [${shape}]`, t.name);
    const data = allocate(dtype, count);
    for (let i = 0; i < count; i++)
      data[i] = (typeof data[i] === "bigint" ? BigInt(typed[i]) : Number(typed[i])) as never;
    return { dtype, shape, data };
  }
  const bytes = external ? externalBytes(t, files) : t.rawData;
  if (bytes.length !== count * byteSize(dtype)) throw broken(`${bytes.length} bytes for the shape [${shape}]`, t.name);
  const data = allocate(dtype, count);
  bytesOf(data).set(bytes);
  return { dtype, shape, data };
}

const bytesOf = (data: TypedArray): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * The file name of a tensor's external data: plain, relative, below the model. Throws TesseraeError("weights") for
 * absolute paths, "..", drive letters and anything a file system could read otherwise.
 */
export function externalLocation(t: TensorProto): string {
  const location = t.externalData.find((e) => e.key === "location")?.value ?? "";
  const parts = location.split("/");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (parts.some((p) => p === "" || p === "." || p === "..") || /[\\:\u0000-\u001f]/.test(location))
    throw broken(`its external data are in ${JSON.stringify(location)}, which is no file beside the model`, t.name);
  return location;
}

function externalBytes(t: TensorProto, files: ExternalFiles): Uint8Array {
  const location = externalLocation(t);
  const file = files.get(location);
  if (!file) throw broken("its values are in an external file that was not given", t.name);
  const entry = (key: string, otherwise: number): number => {
    const text = t.externalData.find((e) => e.key === key)?.value;
    if (text === undefined) return otherwise;
    return /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  };
  const offset = entry("offset", 0);
  const length = entry("length", file.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length))
    throw broken("its external values lie beyond the file", t.name);
  return file.subarray(offset, offset + length);
}
