import * as zlib from "node:zlib";
import {
  type ColumnMetaData,
  type Compressors,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  snappyUncompress,
} from "hyparquet";
import { TesseraeError } from "../../errors.ts";
import { openReadOnly, type ReadOnlyFile } from "../read-file.ts";
import { checkPages } from "./parquet-pages.ts";
import { dataError } from "./source.ts";

/** Largest row group, unpacked: a reader holds a few. */
const MAX_GROUP_BYTES = 2 ** 30;

/** The rows of a group, in the file. */
export interface RowGroup {
  first: number;
  rows: number;
  /** Unpacked bytes of a column's chunks. */
  bytesOf(column: string): number;
}

/** A Parquet file, of which only the footer is read at opening. */
export interface ParquetFile {
  readonly path: string;
  readonly bytes: number;
  readonly groups: readonly RowGroup[];
  /** Top-level columns -> the names below them. */
  readonly columns: ReadonlyMap<string, readonly string[]>;
  /** Key-value metadata. */
  readonly notes: ReadonlyMap<string, string>;
  /** Values of a column in a row group. */
  read(column: string, group: number): Promise<unknown[]>;
  close(): void;
}

const sized = (size: number): number => {
  if (Number.isSafeInteger(size) && size >= 0 && size <= MAX_GROUP_BYTES) return size;
  throw new RangeError(`a page of ${size} bytes`);
};

type Unpack = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;
// Node has it since 22.15.
const zstd = (zlib as unknown as { zstdDecompressSync?: Unpack }).zstdDecompressSync;

const unpackers: Compressors = {
  SNAPPY: (bytes, size) => {
    const out = new Uint8Array(sized(size));
    snappyUncompress(bytes, out);
    return out;
  },
  GZIP: (bytes, size) => zlib.gunzipSync(bytes, { maxOutputLength: sized(size) + 1 }),
  BROTLI: (bytes, size) => zlib.brotliDecompressSync(bytes, { maxOutputLength: sized(size) + 1 }),
  ZSTD: (bytes, size) => {
    if (!zstd) throw new Error("it is compressed by zstd, which needs Node 22.15 or later");
    return zstd(bytes, { maxOutputLength: sized(size) + 1 });
  },
};

const bufferOf = (file: ReadOnlyFile) => ({
  byteLength: file.size,
  slice: (start: number, end = file.size): ArrayBuffer => {
    if (!(start >= 0 && start <= end && end <= file.size)) throw new RangeError(`bytes ${start} to ${end}`);
    return file.read(start, end - start).buffer as ArrayBuffer;
  },
});

/** The library's errors are of many kinds, since it trusts what it reads: all are the file's fault. */
async function guarded<T>(path: string, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof TesseraeError) throw cause;
    const reason = (cause instanceof Error ? cause.message : String(cause)).split("\n")[0].replace(/^parquet /, "");
    throw new TesseraeError("data", `${what} (${reason})`, { where: path, cause });
  }
}

/** @throws TesseraeError `data` for what is no Parquet file, damaged, or lies about its sizes. */
export async function openParquetFile(path: string): Promise<ParquetFile> {
  const file = openReadOnly(path);
  try {
    if (file.size === 0) throw dataError(path, "the file is empty (zero bytes)");
    if (file.size < 12 || file.read(0, 4).toString("latin1") !== "PAR1") throw dataError(path, "not a Parquet file");
    const metadata = await guarded(path, "truncated or damaged", () =>
      parquetMetadataAsync(bufferOf(file), { geoparquet: false }),
    );
    return { ...describe(file, metadata), read: reader(file, metadata), close: () => file.close() };
  } catch (error) {
    file.close();
    throw error;
  }
}

function describe(file: ReadOnlyFile, metadata: FileMetaData): Omit<ParquetFile, "read" | "close"> {
  const { path, size } = file;
  const columns = new Map<string, string[]>();
  const groups: RowGroup[] = [];
  let first = 0;
  metadata.row_groups.forEach(({ columns: chunks, num_rows }, g) => {
    const rows = Number(num_rows);
    if (!(Number.isSafeInteger(rows) && rows >= 0 && first + rows < 2 ** 31)) {
      throw dataError(path, `row group ${g} announces ${num_rows} rows`);
    }
    const bytes = new Map<string, number>();
    for (const { meta_data: chunk } of chunks) {
      const [name, ...below] = chunk?.path_in_schema ?? [];
      if (!chunk || name === undefined) throw dataError(path, `row group ${g} has a column without a description`);
      const length = Number(chunk.total_uncompressed_size);
      const packed = Number(chunk.total_compressed_size);
      if (!(length >= 0 && length <= MAX_GROUP_BYTES && packed >= 0 && packed <= size)) {
        const hint = "Row groups of at most 1 GiB can be read";
        throw dataError(path, `row group ${g}, column ${name}: ${length} bytes, ${packed} of them packed`, hint);
      }
      if (rows > 0 && Number(chunk.num_values) !== rows && below.length < 2) {
        throw dataError(path, `row group ${g}, column ${name}: ${chunk.num_values} values for ${rows} rows`);
      }
      bytes.set(name, (bytes.get(name) ?? 0) + length);
      if (g === 0) columns.set(name, [...(columns.get(name) ?? []), below.join(".")]);
    }
    groups.push({ first, rows, bytesOf: (column) => bytes.get(column) ?? 0 });
    first += rows;
  });
  const notes = new Map((metadata.key_value_metadata ?? []).map(({ key, value = "" }) => [key, value]));
  return { path, bytes: size, groups, columns, notes };
}

/** A column chunk's pages. */
function chunkOf(file: ReadOnlyFile, chunk: ColumnMetaData): ArrayBuffer {
  const start = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  return bufferOf(file).slice(start, start + Number(chunk.total_compressed_size));
}

function reader(file: ReadOnlyFile, metadata: FileMetaData) {
  const starts: number[] = [];
  let first = 0;
  for (const { num_rows } of metadata.row_groups) {
    starts.push(first);
    first += Number(num_rows);
  }
  return (column: string, group: number): Promise<unknown[]> =>
    guarded(file.path, `row group ${group}, column ${column} cannot be read`, async () => {
      const rows = Number(metadata.row_groups[group].num_rows);
      for (const { meta_data: chunk } of metadata.row_groups[group].columns)
        if (chunk?.path_in_schema[0] === column) checkPages(chunkOf(file, chunk), chunk, MAX_GROUP_BYTES);
      const objects = await parquetReadObjects({
        file: bufferOf(file),
        metadata,
        columns: [column],
        rowStart: starts[group],
        rowEnd: starts[group] + rows,
        compressors: unpackers,
        utf8: false,
        geoparquet: false,
      });
      if (objects.length !== rows) throw new Error(`${objects.length} of ${rows} rows`);
      return objects.map((row) => (row as Record<string, unknown>)[column]);
    });
}
