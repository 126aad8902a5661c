import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compareCodePoints, type DataFile, type ImageDataset, type ImageSample } from "../../data/dataset.ts";
import { IMAGE_EXTENSIONS } from "../decode.ts";
import { openReadOnly, type ReadOnlyFile } from "../read-file.ts";
import { readClasses, tabulate } from "./labels.ts";
import { dataError, filesBySplit, LeftOut, type OpenSource, type SourceOptions } from "./source.ts";
import { type TarEntry, tarEntries } from "./tar-index.ts";

/** A shard is read in runs of about so many bytes, which are what an epoch's order moves about. */
const BLOCK_BYTES = 16 * 2 ** 20;
const MAX_LABEL_BYTES = 2 ** 20;
const MAX_SHARDS = 100_000;
const LABEL_EXTENSIONS = ["cls", "cls.txt", "json"];
const JSON_KEYS = ["cls", "label", "class", "class_name"];

/**
 * WebDataset shards (https://github.com/webdataset/webdataset): a tar, a pattern such as shard-{000..009}.tar, or a
 * folder of tars. Files of one sample follow one another and share their name up to the first dot.
 */
export const openWebDataset: OpenSource = async (path, options) => {
  const shards = await findShards(path);
  if (!shards) return undefined;
  const parts = filesBySplit(shards.paths, options.note);
  return {
    splits: [...parts.keys()],
    open: (split) => openShards(path, shards.folder, parts.get(split) as string[], options),
  };
};

async function findShards(path: string): Promise<{ folder: string; paths: string[] } | undefined> {
  if (/\{.*\}/.test(path)) return { folder: dirname(path), paths: expandBraces(path) };
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return { folder: dirname(path), paths: [path] };
  const paths: string[] = [];
  for (const inner of [path, ...(await subfolders(path))]) {
    const names = (await readdir(inner).catch(() => [])).filter(
      (name) => name.endsWith(".tar") && !name.startsWith("."),
    );
    paths.push(...names.sort(compareCodePoints).map((name) => join(inner, name)));
  }
  return paths.length > 0 ? { folder: path, paths } : undefined;
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
    .map(({ name }) => join(path, name));
}

/** "a-{00..02}{x,y}.tar" -> all that it stands for, in order; numbers keep their leading zeros. */
export function expandBraces(pattern: string): string[] {
  const [, before, inner, after] = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern) ?? [];
  if (inner === undefined) return [pattern];
  const [, low, high] = /^(\d{1,9})\.\.(\d{1,9})$/.exec(inner) ?? [];
  const count = low === undefined ? 0 : Number(high) - Number(low) + 1;
  if (low !== undefined && count < 1) throw dataError(pattern, `{${inner}} counts down`);
  const rest = expandBraces(after);
  const words = inner.split(",");
  if (Math.max(count, words.length) * rest.length > MAX_SHARDS) {
    throw dataError(pattern, `stands for more than ${MAX_SHARDS} shards`);
  }
  const choices =
    low === undefined
      ? words
      : Array.from({ length: count }, (_, i) => String(Number(low) + i).padStart(low.length, "0"));
  return choices.flatMap((choice) => rest.map((end) => before + choice + end));
}

interface Found {
  sample: ImageSample;
  label: string;
}

async function openShards(
  root: string,
  folder: string,
  paths: readonly string[],
  options: SourceOptions,
): Promise<ImageDataset> {
  const files: DataFile[] = [];
  const found: Found[] = [];
  const leftOut = new LeftOut();
  for (const path of paths) {
    const file = openReadOnly(path);
    try {
      for (const one of shardSamples(file, files.length, leftOut)) found.push(one);
      files.push({ kind: "encoded", path, bytes: file.size });
    } finally {
      file.close();
    }
  }
  leftOut.report(root, options);
  if (found.length === 0) throw dataError(root, "no samples: an image and its label (.cls or .json) share a name");
  const table = tabulate(
    found.map(({ label }) => label),
    (i) => found[i].sample.path,
    await readClasses(folder),
  );
  const samples = found.map(({ sample }, i) => ({ ...sample, label: table.labels[i] }));
  return { classes: table.classes, samples, root, files };
}

/** The samples of a shard, from one pass over its headers and labels. */
function* shardSamples(file: ReadOnlyFile, index: number, leftOut: LeftOut): Generator<Found> {
  const keys = new Set<string>();
  let key: string | undefined;
  let group = new Map<string, TarEntry>();
  const name = (entry: string): string => `${file.path}/${entry}`;
  const finish = (): Found | undefined => {
    if (key === undefined) return undefined;
    const image = IMAGE_EXTENSIONS.find((extension) => group.has(extension));
    const label = LABEL_EXTENSIONS.find((extension) => group.has(extension));
    if (keys.has(key)) leftOut.add("samples whose name came before in their shard", name(key));
    else if (image === undefined) leftOut.add("samples without an image", name(key));
    else if (label === undefined) leftOut.add("samples without a label", name(key));
    else return sampleOf(group.get(image) as TarEntry, readLabel(file, label, group.get(label) as TarEntry));
    return undefined;
  };
  const sampleOf = ({ path, at, size }: TarEntry, label: string): Found => {
    const place = { file: index, at, length: size, block: Math.floor(at / BLOCK_BYTES) };
    return { sample: { path: name(path), label: 0, place }, label };
  };
  for (const entry of tarEntries(file)) {
    const [, own, extension] = /^((?:.*\/)?[^/]*?)\.([^/]*)$/s.exec(entry.path) ?? [];
    if (own === undefined || entry.path.split("/").pop()?.startsWith(".")) continue;
    if (own !== key) {
      const done = finish();
      if (done) yield done;
      if (key !== undefined) keys.add(key);
      [key, group] = [own, new Map()];
    }
    const kind = extension.toLowerCase();
    if (group.has(kind)) leftOut.add("files that a sample has twice", name(entry.path));
    else group.set(kind, entry);
  }
  const done = finish();
  if (done) yield done;
}

function readLabel(file: ReadOnlyFile, kind: string, { path, at, size }: TarEntry): string {
  const where = `${file.path}/${path}`;
  if (size > MAX_LABEL_BYTES) throw dataError(where, `a label of ${size} bytes is too large`);
  const text = file.read(at, size).toString("utf8").trim();
  if (kind !== "json") return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw dataError(where, "is not JSON");
  }
  if (typeof value === "object" && value !== null) {
    const entries = new Map(Object.entries(value));
    const own = JSON_KEYS.map((key) => entries.get(key)).find((v) => v !== undefined && v !== null);
    if (typeof own === "number" || typeof own === "string") return String(own).trim();
  }
  throw dataError(where, `has none of ${JSON_KEYS.join(", ")}`);
}
