import { byteSize, type DType, sizeOf } from "../graph/types.ts";
import { type ByteSource, bytesSource, type Refuse, refuser } from "./byte-source.ts";
import { quoted } from "./header-scanner.ts";
import { type HostTensor, tensorFromBytes } from "./host-tensor.ts";
import { openZip, readEntry } from "./zip.ts";

// The format (numpy.lib.format): a zip of NAME.npy, each "\x93NUMPY", version, length of a header, the header (a Python
// dict of descr, fortran_order, shape) and the elements.

const DTYPES: Readonly<Record<string, DType>> = {
  "<f4": "float32",
  "<f2": "float16",
  "<f8": "float64",
  "<i8": "int64",
  "<i4": "int32",
  "<i2": "int16",
  "|i1": "int8",
  "<u8": "uint64",
  "<u4": "uint32",
  "<u2": "uint16",
  "|u1": "uint8",
  "|b1": "bool",
};

const HEADER =
  /^\{\s*'descr':\s*'([^'\\]{1,16})',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(((?:\d{1,15},\s?)*\d{0,15})\),?\s*\}\s*$/;

/** The arrays of a NumPy .npz file by name, in the file's order. Throws TesseraeError("weights"). */
export async function readNpz(input: ByteSource | Uint8Array, where = "npz"): Promise<Map<string, HostTensor>> {
  const source = input instanceof Uint8Array ? bytesSource(input, where) : input;
  const fail: Refuse = refuser(
    source.where,
    "The file is damaged or not one of numpy.savez: download or save it again",
  );
  const zip = await openZip(source);
  const out = new Map<string, HostTensor>();
  for (const entry of zip.entries.values()) {
    if (!entry.name.endsWith(".npy")) fail(`entry ${quoted(entry.name)} is no array`);
    const name = entry.name.slice(0, -4);
    out.set(name, parseNpy(name, await readEntry(zip, entry), fail));
  }
  return out;
}

function parseNpy(name: string, bytes: Uint8Array, fail: Refuse): HostTensor {
  const where = `array ${quoted(name)}`;
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (bytes.byteLength < 12 || magic.some((byte, i) => bytes[i] !== byte)) fail(`${where} is not in NumPy's format`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [start, length] = bytes[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  const end = start + length;
  if (end > bytes.byteLength || length > 10_000) fail(`${where} has a header of ${length} bytes`);
  const found = HEADER.exec(String.fromCharCode(...bytes.subarray(start, end)));
  if (!found) return fail(`${where} has a header that is not read`);
  const dtype = Object.hasOwn(DTYPES, found[1])
    ? DTYPES[found[1]]
    : fail(`${where} has elements of type ${quoted(found[1])}, which are not read`);
  const shape = found[3].split(",").flatMap((size) => (size.trim() ? [Number(size)] : []));
  const data = bytes.subarray(end);
  if (shape.length > 64 || shape.reduce((a, b) => a * b, byteSize(dtype)) !== data.byteLength)
    return fail(`${where}: ${data.byteLength} bytes do not hold ${dtype} [${shape.slice(0, 8)}]`);
  return found[2] === "True" ? fromColumns(dtype, shape, data) : tensorFromBytes(dtype, shape, data);
}

/** Column-major elements in row-major order. */
function fromColumns(dtype: DType, shape: readonly number[], bytes: Uint8Array): HostTensor {
  const width = byteSize(dtype);
  const out = new Uint8Array(bytes.byteLength);
  const strides = shape.map((_, i) => sizeOf(shape.slice(0, i)));
  for (let to = 0; to < bytes.byteLength / width; to++) {
    let [rest, from] = [to, 0];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += (rest % shape[axis]) * strides[axis];
      rest = Math.floor(rest / shape[axis]);
    }
    for (let b = 0; b < width; b++) out[to * width + b] = bytes[from * width + b];
  }
  return tensorFromBytes(dtype, shape, out);
}
