import type { DataFile, ImageSample, Place } from "../data/dataset.ts";
import { type PartOf, type PixelImage, toInterleaved } from "../data/image.ts";
import type { Decode } from "../data/produce.ts";
import { TesseraeError } from "../errors.ts";
import { decodeFile, decodeImage } from "./decode.ts";
import { openReadOnly, type ReadOnlyFile } from "./read-file.ts";

/** Files that one thread holds open at a time. */
const OPEN_FILES = 64;

/** Encoded bytes of Parquet row groups that one thread keeps; the latest is kept whatever its size. */
const GROUP_BYTES = 256 * 2 ** 20;

/** Reads samples wherever they lie. */
export interface SampleReader {
  decode: Decode;
  close(): void;
}

interface Group {
  bytes: number;
  values: Promise<unknown[]>;
}

/** Images of Parquet row groups, the latest kept. */
function rowGroups(files: readonly DataFile[]) {
  const kept = new Map<string, Group>();

  const load = async (path: string, column: string, group: number): Promise<unknown[]> => {
    const { openParquetFile } = await import("./sources/parquet-file.ts");
    const file = await openParquetFile(path);
    try {
      return await file.read(column, group);
    } finally {
      file.close();
    }
  };

  const groupOf = (entry: DataFile & { kind: "parquet" }, { file, block = 0, length }: Place): Group => {
    const key = `${file}:${block}`;
    const found = kept.get(key) ?? { bytes: 0, values: load(entry.path, entry.column, block) };
    if (!kept.has(key)) {
      found.values.then(
        (values) => {
          found.bytes = length * values.length;
          trim();
        },
        () => kept.delete(key),
      );
    }
    kept.delete(key);
    kept.set(key, found);
    return found;
  };

  const trim = () => {
    let bytes = 0;
    for (const [key, group] of [...kept].reverse()) {
      if (bytes > 0 && bytes + group.bytes > GROUP_BYTES) kept.delete(key);
      else bytes += group.bytes;
    }
  };

  /** @throws TesseraeError `data`. */
  const read = async (place: Place, path: string): Promise<Uint8Array> => {
    const entry = files[place.file] as DataFile & { kind: "parquet" };
    const value = (await groupOf(entry, place).values)[place.at];
    const bytes = value instanceof Uint8Array ? value : (value as { bytes?: unknown } | null | undefined)?.bytes;
    if (bytes instanceof Uint8Array) return bytes;
    throw new TesseraeError("data", "the row has no image", { where: path });
  };
  return { read, clear: () => kept.clear() };
}

/** A reader of `files`, of which it holds the latest open. One thread's. */
export function openSamples(files: readonly DataFile[]): SampleReader {
  const opened = new Map<number, ReadOnlyFile>();
  const groups = rowGroups(files);

  const fileOf = (index: number): ReadOnlyFile => {
    const file = opened.get(index) ?? openReadOnly(files[index].path);
    opened.delete(index);
    opened.set(index, file);
    const [oldest] = opened.keys();
    if (opened.size > OPEN_FILES) {
      opened.get(oldest)?.close();
      opened.delete(oldest);
    }
    return file;
  };

  const bytesAt = ({ file, at, length }: Place, path: string): Uint8Array => {
    const entry = files[file];
    if (entry.kind === "pixels" && entry.memory) return new Uint8Array(entry.memory, at, length);
    const bytes = fileOf(file).read(at, length);
    if (bytes.length === length) return bytes;
    throw new TesseraeError("data", "its file has become shorter since it was opened", { where: path });
  };

  return {
    async decode({ path, place }: Pick<ImageSample, "path" | "place">, partOf?: PartOf): Promise<PixelImage> {
      if (!place) return decodeFile(path, partOf);
      const entry = files[place.file];
      if (entry.kind === "parquet") return decodeImage(await groups.read(place, path), path, partOf);
      const bytes = bytesAt(place, path);
      if (entry.kind !== "pixels") return decodeImage(bytes, path, partOf);
      const { width, height, channels } = entry;
      return { width, height, channels, data: toInterleaved(bytes, channels) };
    },
    close() {
      for (const file of opened.values()) file.close();
      opened.clear();
      groups.clear();
    },
  };
}
