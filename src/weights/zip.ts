import { type ByteSource, type Refuse, refuser } from "./byte-source.ts";
import { quoted } from "./header-scanner.ts";

// The format: PKWARE's APPNOTE.TXT 6.3.10. At the end of the file a record says where the central directory lies, which
// names every entry; in front of its data each entry repeats its header. Sizes beyond 32 bits are in "zip64" records.

export interface ZipEntry {
  readonly name: string;
  /** 0: stored, 8: deflated. */
  readonly method: number;
  /** Bytes in the file, and when unpacked. */
  readonly packed: number;
  readonly size: number;
  /** Where the entry's own header begins. */
  readonly at: number;
}

export interface Zip {
  readonly source: ByteSource;
  readonly entries: ReadonlyMap<string, ZipEntry>;
}

/** Bounds what a bad file can cost. 100,000 tensors of a PyTorch file take about 10 MB of directory. */
const MAX_DIRECTORY = 64 * 2 ** 20;
const MAX_ENTRIES = 500_000;
/** Deflated entries may unpack to this many times the file's size, with some room for small files. */
const MAX_RATIO = 16;
const SMALL = 2 ** 20;

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
const END_SIZE = 22;
const MAX_COMMENT = 65535;

const hint = "The file is damaged: download or save it again";
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Does the file begin as zip files with an entry do? */
export const looksLikeZip = (head: Uint8Array): boolean =>
  head[0] === 0x50 && head[1] === 0x4b && head[2] === 3 && head[3] === 4;

/**
 * Reads the directory of a zip file: stored and deflated entries, no encryption, no second volume, no name twice.
 * Throws TesseraeError("weights") on anything else.
 */
export async function openZip(source: ByteSource): Promise<Zip> {
  const fail: Refuse = refuser(source.where, hint);
  const { at, size, count } = await findDirectory(source, fail);
  if (size > MAX_DIRECTORY || count > MAX_ENTRIES)
    fail(`a directory of ${count} entries in ${size} bytes is too large`);
  if (at + size > source.size) fail(`the directory at byte ${at} does not lie within the file`);
  const entries = parseDirectory(await source.read(at, size), count, fail);
  let total = 0;
  for (const { name, packed, size: unpacked, method, at: start } of entries.values()) {
    if (start + 30 + packed > source.size) fail(`entry ${quoted(name)} does not lie within the file`);
    if (method === 8) total += unpacked;
  }
  if (total > MAX_RATIO * source.size + SMALL)
    fail(`deflated entries claim ${total} bytes of a file of ${source.size}`);
  return { source, entries };
}

async function findDirectory(source: ByteSource, fail: Refuse): Promise<{ at: number; size: number; count: number }> {
  const length = Math.min(source.size, END_SIZE + MAX_COMMENT + 20);
  const tailAt = source.size - length;
  const tail = viewOf(await source.read(tailAt, length));
  let end = length - END_SIZE;
  while (end >= 0 && !(tail.getUint32(end, true) === END && tail.getUint16(end + 20, true) === length - end - END_SIZE))
    end--;
  if (end < 0) fail("has no directory of a zip file: it is cut short, or something else");
  const place = {
    count: tail.getUint16(end + 10, true),
    size: tail.getUint32(end + 12, true),
    at: tail.getUint32(end + 16, true),
  };
  if (tail.getUint16(end + 4, true) % 0xffff) fail("a zip file of several volumes is not read");
  if (end < 20 || tail.getUint32(end - 20, true) !== LOCATOR64) return place;
  const at64 = u64(tail, end - 20 + 8, fail);
  if (at64 + 56 > source.size) fail(`the zip64 record at byte ${at64} does not lie within the file`);
  const record = viewOf(await source.read(at64, 56));
  if (record.getUint32(0, true) !== END64) fail(`no zip64 record at byte ${at64}`);
  return { count: u64(record, 32, fail), size: u64(record, 40, fail), at: u64(record, 48, fail) };
}

function u64(view: DataView, at: number, fail: Refuse): number {
  const value = view.getBigUint64(at, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? fail(`a size of ${value} bytes`) : Number(value);
}

function parseDirectory(bytes: Uint8Array, count: number, fail: Refuse): Map<string, ZipEntry> {
  const view = viewOf(bytes);
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.byteLength || view.getUint32(at, true) !== CENTRAL) fail(`directory entry ${i} is not one`);
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const nameAt = at + 46;
    const next = nameAt + nameLength + extraLength + commentLength;
    if (next > bytes.byteLength) fail(`directory entry ${i} is cut short`);
    const entry = centralEntry(view, at, decodeName(bytes.subarray(nameAt, nameAt + nameLength), fail), fail);
    if (entries.has(entry.name)) fail(`entry ${quoted(entry.name)} is there twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

function decodeName(bytes: Uint8Array, fail: Refuse): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return fail("an entry's name is not UTF-8");
  }
}

function centralEntry(view: DataView, at: number, name: string, fail: Refuse): ZipEntry {
  const method = view.getUint16(at + 10, true);
  if (method !== 0 && method !== 8) fail(`entry ${quoted(name)} is compressed by the unknown method ${method}`);
  if (view.getUint16(at + 8, true) & 1) fail(`entry ${quoted(name)} is encrypted`);
  const sizes = [24, 20, 42].map((o) => view.getUint32(at + o, true)); // unpacked, packed, place
  const extraAt = at + 46 + view.getUint16(at + 28, true);
  const [size, packed, place] = widened(view, extraAt, view.getUint16(at + 30, true), sizes, name, fail);
  if (method === 0 && size !== packed) fail(`stored entry ${quoted(name)} has two sizes, ${packed} and ${size}`);
  return { name, method, packed, size, at: place };
}

/** Sizes of 2^32 - 1 stand for one of the zip64 extra field, in order. */
function widened(view: DataView, at: number, length: number, sizes: number[], name: string, fail: Refuse): number[] {
  if (!sizes.includes(0xffffffff)) return sizes;
  const end = at + length;
  let p = at;
  while (p + 4 <= end && view.getUint16(p, true) !== 1) p += 4 + view.getUint16(p + 2, true);
  p += 4;
  return sizes.map((size) => {
    if (size !== 0xffffffff) return size;
    if (p + 8 > end) return fail(`entry ${quoted(name)} lacks its zip64 sizes`);
    p += 8;
    return u64(view, p - 8, fail);
  });
}

/** Where an entry's bytes begin: after its own header, whose name must be the directory's. */
async function dataStart({ source }: Zip, { name, at, packed }: ZipEntry, fail: Refuse): Promise<number> {
  const header = viewOf(await source.read(at, 30));
  if (header.getUint32(0, true) !== LOCAL) fail(`entry ${quoted(name)} has no header at byte ${at}`);
  const start = at + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + packed > source.size) fail(`entry ${quoted(name)} does not lie within the file`);
  return start;
}

/** A stored entry's bytes. Throws TesseraeError("weights") for a compressed one. */
export async function readStored(zip: Zip, entry: ZipEntry): Promise<Uint8Array> {
  const fail: Refuse = refuser(zip.source.where, hint);
  if (entry.method !== 0) fail(`entry ${quoted(entry.name)} is compressed, which files of this kind are not`);
  return zip.source.read(await dataStart(zip, entry, fail), entry.packed);
}

/** An entry's bytes, unpacked: never more of them than the directory says. */
export async function readEntry(zip: Zip, entry: ZipEntry): Promise<Uint8Array> {
  if (entry.method === 0) return readStored(zip, entry);
  const fail: Refuse = refuser(zip.source.where, hint);
  const packed = await zip.source.read(await dataStart(zip, entry, fail), entry.packed);
  const out = new Uint8Array(entry.size);
  let at = 0;
  try {
    const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream();
    const reader = stream.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      if (at + part.value.byteLength > out.byteLength) {
        await reader.cancel();
        at = Number.POSITIVE_INFINITY;
        break;
      }
      out.set(part.value, at);
      at += part.value.byteLength;
    }
  } catch {
    fail(`entry ${quoted(entry.name)} is not deflated data`);
  }
  if (at !== out.byteLength)
    fail(`entry ${quoted(entry.name)} does not unpack to the ${out.byteLength} bytes it claims`);
  return out;
}
