import { readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { compareCodePoints, type DataFile, type ImageDataset, type ImageSample } from "../../data/dataset.ts";
import { readClasses, tabulate } from "./labels.ts";
import { openParquetFile, type ParquetFile } from "./parquet-file.ts";
import { dataError, filesBySplit, LeftOut, type OpenSource, type SourceOptions } from "./source.ts";

const IMAGES = ["image", "img", "images", "bytes", "jpg", "png"];
const LABELS = ["label", "labels", "fine_label", "class", "cls", "target"];
const DEPTH = 2;

/** Image sets as Hugging Face lays them out: a file, or a folder with (data/)train-00000-of-00001.parquet and so on. */
export const openParquet: OpenSource = async (path, options) => {
  const info = await stat(path).catch(() => undefined);
  const paths = info?.isFile() ? [path] : (await parquetFiles(path, DEPTH)).sort(compareCodePoints);
  if (paths.length === 0) return undefined;
  const parts = filesBySplit(paths, options.note);
  const folder = info?.isFile() ? dirname(path) : path;
  return {
    splits: [...parts.keys()],
    open: (split) => openFiles(path, folder, parts.get(split) as string[], options),
  };
};

async function parquetFiles(folder: string, depth: number): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const lists = entries.map(async ({ name }) => {
    const path = join(folder, name);
    if (name.startsWith(".")) return [];
    if (name.endsWith(".parquet")) return [path];
    return depth > 0 && (await stat(path).catch(() => undefined))?.isDirectory() ? parquetFiles(path, depth - 1) : [];
  });
  return (await Promise.all(lists)).flat();
}

async function openFiles(
  root: string,
  folder: string,
  paths: readonly string[],
  options: SourceOptions,
): Promise<ImageDataset> {
  const files: DataFile[] = [];
  const samples: ImageSample[] = [];
  const labels: string[] = [];
  const leftOut = new LeftOut();
  let names: string[] | undefined;
  for (const path of paths) {
    const file = await openParquetFile(path);
    try {
      const { image, label, classes } = columnsOf(file, options.labelColumn);
      names ??= classes;
      for (const [g, { first, rows, bytesOf }] of file.groups.entries()) {
        const length = Math.ceil(bytesOf(image) / Math.max(1, rows));
        const values = await file.read(label, g);
        for (let row = 0; row < rows; row++) {
          const name = `${path}#${first + row}`;
          const text = labelText(values[row], name);
          if (text === undefined) {
            leftOut.add("rows without a label", name);
            continue;
          }
          samples.push({ path: name, label: 0, place: { file: files.length, at: row, length, block: g } });
          labels.push(text);
        }
      }
      files.push({ kind: "parquet", path, bytes: file.bytes, column: image });
    } finally {
      file.close();
    }
  }
  leftOut.report(root, options);
  if (samples.length === 0) throw dataError(root, "has no rows");
  const table = tabulate(labels, (i) => samples[i].path, names ?? (await readClasses(folder)));
  table.labels.forEach((label, i) => {
    samples[i].label = label;
  });
  return { classes: table.classes, samples, root, files };
}

/** -1 is Hugging Face's word for no label. */
function labelText(value: unknown, where: string): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === "bigint" || typeof value === "number") return Number(value) === -1 ? undefined : String(value);
  if (typeof value === "string") return value.trim();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("utf8").trim();
  throw dataError(where, "its label is neither a number nor a text");
}

/** Columns by the `huggingface` description where there is one, else by name. */
function columnsOf({ path, columns, notes }: ParquetFile, wanted?: string) {
  const features = featuresOf(notes.get("huggingface"));
  const all = [...columns.keys()];
  const byType = (type: string) => all.find((name) => features.get(name)?._type === type);
  const named = (names: readonly string[]) => names.find((name) => columns.has(name));
  const image = byType("Image") ?? named(IMAGES);
  const label = wanted ?? byType("ClassLabel") ?? named(LABELS);
  const has = `It has ${all.join(", ")}`;
  if (image === undefined) throw dataError(path, "no column of images", has);
  if (label === undefined) throw dataError(path, "no column of labels", `${has}; name one with --label-column`);
  if (!columns.has(label)) throw dataError(path, `no column ${label}`, has);
  const below = columns.get(image) as readonly string[];
  if (!below.includes("") && !below.includes("bytes")) throw dataError(path, `column ${image} has no field bytes`);
  const given = features.get(label)?.names;
  const classes =
    Array.isArray(given) && given.every((name) => typeof name === "string") ? (given as string[]) : undefined;
  return { image, label, classes };
}

type Feature = Readonly<Record<string, unknown>>;

function featuresOf(text: string | undefined): Map<string, Feature> {
  try {
    const found = JSON.parse(text ?? "")?.info?.features;
    const entries = Object.entries(found ?? {}).filter(([, value]) => typeof value === "object" && value !== null);
    return new Map(entries as [string, Feature][]);
  } catch {
    return new Map(); // without a description, columns go by their names
  }
}
