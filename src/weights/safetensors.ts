import { TesseraeError } from "../errors.ts";
import { byteSize, type DType, sizeOf } from "../graph/types.ts";
import { HeaderScanner, quoted } from "./header-scanner.ts";
import { bytesOf, type HostTensor, tensorFromBytes } from "./host-tensor.ts";

// The format (https://github.com/huggingface/safetensors): u64 length N of the header, little-endian; N bytes of JSON,
// { name: { dtype, shape, data_offsets: [begin, end] }, …, "__metadata__"?: { text: text } }; then the data, which the
// tensors cover without hole or overlap.

export interface TensorInfo {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Byte range in the file's data part, which starts at `SafetensorsHeader.dataStart`. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  /** In the order of the file's header. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: ReadonlyMap<string, string>;
  /** Bytes before the data. */
  readonly dataStart: number;
}

export interface ReadOptions {
  /** Named in errors: the file's path. */
  where?: string;
  /** Bytes in the whole file, where only its first part is given. */
  fileSize?: number;
}

const dtypeCodes: Readonly<Record<DType, string>> = {
  float32: "F32",
  float16: "F16",
  bfloat16: "BF16",
  float64: "F64",
  int64: "I64",
  int32: "I32",
  uint64: "U64",
  uint32: "U32",
  int16: "I16",
  uint16: "U16",
  int8: "I8",
  uint8: "U8",
  bool: "BOOL",
};
const dtypesByCode = new Map(Object.entries(dtypeCodes).map(([dtype, code]) => [code, dtype as DType]));

const metadataKey = "__metadata__";
/** The reference implementation stops at 100 MB; 100,000 tensors take about 12 MB. Bounds what a bad file can cost. */
const maxHeaderBytes = 32 * 2 ** 20;
const maxRank = 64;

const hint = "The file is damaged or not a safetensors file: download or export it again";

const reporter =
  (where = "safetensors") =>
  (what: string): never => {
    throw new TesseraeError("weights", what, { where, hint });
  };

/**
 * Checks the whole header against the file's size and returns what it names.
 * `bytes` holds at least the header; pass `fileSize` where it holds less than the file.
 * Throws TesseraeError("weights") on anything but a well-formed file.
 */
export function parseHeader(bytes: Uint8Array, options: ReadOptions = {}): SafetensorsHeader {
  const fail = reporter(options.where);
  const fileSize = options.fileSize ?? bytes.byteLength;
  const dataStart = 8 + headerLength(bytes, fileSize, fail);
  if (bytes.byteLength < dataStart) fail(`the header ends at byte ${dataStart}, ${bytes.byteLength} bytes were given`);
  if (bytes[8] !== 0x7b) fail("the header does not start with {");

  const tensors = new Map<string, TensorInfo>();
  let metadata: ReadonlyMap<string, string> | undefined;
  const scanner = new HeaderScanner(bytes, 8, dataStart, fail);
  scanner.object((name) => {
    if (tensors.has(name) || (name === metadataKey && metadata)) scanner.fail(`${quoted(name)} is there twice`);
    if (name === metadataKey) metadata = scanMetadata(scanner);
    else tensors.set(name, scanTensor(scanner, name));
  });
  scanner.finish();
  checkCover(tensors, fileSize - dataStart, fail);
  return { tensors, metadata: metadata ?? new Map(), dataStart };
}

function headerLength(bytes: Uint8Array, fileSize: number, fail: (what: string) => never): number {
  if (bytes.byteLength < 8) fail(`${bytes.byteLength} bytes are too few`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > fileSize - 8) fail(`a header of ${length} bytes in a file of ${fileSize}`);
  if (length > maxHeaderBytes) fail(`a header of ${length} bytes, more than the ${maxHeaderBytes} allowed`);
  return Number(length);
}

function scanMetadata(scanner: HeaderScanner): Map<string, string> {
  const metadata = new Map<string, string>();
  scanner.object((key) => {
    if (metadata.has(key)) scanner.fail(`${quoted(key)} is in ${metadataKey} twice`);
    metadata.set(key, scanner.string());
  });
  return metadata;
}

function scanTensor(scanner: HeaderScanner, name: string): TensorInfo {
  let dtype: DType | undefined;
  let shape: number[] | undefined;
  let range: number[] | undefined;
  scanner.object((field) => {
    if (field === "dtype" && !dtype) dtype = scanDType(scanner, name);
    else if (field === "shape" && !shape) shape = scanner.integers(maxRank);
    else if (field === "data_offsets" && !range) range = scanner.integers(2);
    else scanner.fail(`tensor ${quoted(name)} has an unknown or repeated field ${quoted(field)}`);
  });
  if (!dtype || !shape || range?.length !== 2)
    return scanner.fail(`tensor ${quoted(name)} lacks its dtype, shape or data_offsets`);
  const [begin, end] = range;
  const bytes = byteCount(shape, dtype);
  if (end - begin !== bytes)
    scanner.fail(`tensor ${quoted(name)}: bytes ${begin} to ${end} do not hold ${dtype} [${shape.slice(0, 8)}]`);
  return { dtype, shape, begin, end };
}

function scanDType(scanner: HeaderScanner, name: string): DType {
  const code = scanner.string();
  return dtypesByCode.get(code) ?? scanner.fail(`tensor ${quoted(name)} has the unsupported dtype ${quoted(code)}`);
}

/** NaN where the product leaves the integers a number holds exactly. */
function byteCount(shape: readonly number[], dtype: DType): number {
  let count = byteSize(dtype);
  for (const size of shape) {
    count *= size;
    if (count > Number.MAX_SAFE_INTEGER) return Number.NaN;
  }
  return count;
}

/** Sorted by begin, each tensor starts where the one before ends, and the last ends with the data. */
function checkCover(tensors: ReadonlyMap<string, TensorInfo>, size: number, fail: (what: string) => never): void {
  const sorted = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const [name, { begin, end }] of sorted) {
    if (begin < covered) fail(`tensor ${quoted(name)} overlaps another (bytes ${begin} to ${end})`);
    if (begin > covered) fail(`a hole of ${begin - covered} bytes before tensor ${quoted(name)}`);
    if (end > size) fail(`tensor ${quoted(name)} ends at byte ${end} of ${size} bytes of data`);
    covered = end;
  }
  if (covered < size) fail(`${size - covered} bytes after the last tensor`);
}

/**
 * The tensors of a whole file in memory, in the header's order. Their data are views of `buffer` where it is aligned
 * to the element size, copies where not. Throws TesseraeError("weights") on anything but a well-formed file.
 */
export function readSafetensors(buffer: Uint8Array, options: { where?: string } = {}): Map<string, HostTensor> {
  const { tensors, dataStart } = parseHeader(buffer, { where: options.where });
  const out = new Map<string, HostTensor>();
  for (const [name, { dtype, shape, begin, end }] of tensors)
    out.set(name, tensorFromBytes(dtype, shape, buffer.subarray(dataStart + begin, dataStart + end)));
  return out;
}

/**
 * The file as chunks, to be written one after another: the header, then views of the tensors (no copy).
 * The header keeps the map's order; the data lie widest element first, so that every tensor is aligned to its own.
 * Throws TesseraeError("weights") on a name or tensor the format cannot hold.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array[] {
  const ordered = [...tensors].sort(([, a], [, b]) => byteSize(b.dtype) - byteSize(a.dtype)); // stable
  const ranges = new Map<string, [begin: number, end: number]>();
  let end = 0;
  for (const [name, tensor] of ordered) {
    checkWritable(name, tensor);
    ranges.set(name, [end, (end += tensor.data.byteLength)]);
  }
  const entries = [...tensors].map(([name, { dtype, shape }]) => {
    const info = { dtype: dtypeCodes[dtype], shape, data_offsets: ranges.get(name) };
    return `${JSON.stringify(name)}:${JSON.stringify(info)}`;
  });
  if (metadata.size > 0) {
    const pairs = [...metadata].map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    entries.unshift(`"${metadataKey}":{${pairs.join()}}`);
  }
  return [encodeHeader(`{${entries.join()}}`), ...ordered.map(([, tensor]) => bytesOf(tensor))];
}

function checkWritable(name: string, { dtype, shape, data }: HostTensor): void {
  const where = `tensor ${quoted(name)}`;
  if (name === metadataKey || /\p{Surrogate}/u.test(name))
    throw new TesseraeError("weights", "a safetensors file cannot hold this name", { where });
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || shape.length > maxRank)
    throw new TesseraeError("weights", `not a shape: [${shape}]`, { where });
  if (data.byteLength !== sizeOf(shape) * byteSize(dtype))
    throw new TesseraeError("weights", `${data.byteLength} bytes do not hold ${dtype} [${shape}]`, { where });
}

/** u64 length, JSON, spaces to a multiple of 8 bytes. */
function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.byteLength / 8) * 8;
  if (padded > maxHeaderBytes)
    throw new TesseraeError("weights", `a header of ${padded} bytes is more than the ${maxHeaderBytes} allowed`);
  const header = new Uint8Array(8 + padded).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return header;
}
