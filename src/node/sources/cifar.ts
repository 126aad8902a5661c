import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { DataFile, ImageSample } from "../../data/dataset.ts";
import { openReadOnly } from "../read-file.ts";
import { readClasses } from "./labels.ts";
import { dataError, type OpenSource, type Source, type SourceOptions } from "./source.ts";

/** One of the two binary layouts: https://www.cs.toronto.edu/~kriz/cifar.html. A record is labels and 32x32 planes. */
interface Layout {
  folder: string;
  train: RegExp;
  test: string;
  /** Names of the labels at the front of a record, in order. */
  labels: readonly string[];
  classesOf: (label: string) => { count: number; file: string };
}

const PIXELS = 3 * 32 * 32;

const CIFAR10: Layout = {
  folder: "cifar-10-batches-bin",
  train: /^data_batch_\d+\.bin$/,
  test: "test_batch.bin",
  labels: ["label"],
  classesOf: () => ({ count: 10, file: "batches.meta.txt" }),
};

const CIFAR100: Layout = {
  folder: "cifar-100-binary",
  train: /^train\.bin$/,
  test: "test.bin",
  labels: ["coarse", "fine"],
  classesOf: (label) => ({ count: label === "fine" ? 100 : 20, file: `${label}_label_names.txt` }),
};

export const openCifar10: OpenSource = (path, options) => openCifar(path, CIFAR10, options);
export const openCifar100: OpenSource = (path, options) => openCifar(path, CIFAR100, options);

async function openCifar(path: string, layout: Layout, options: SourceOptions): Promise<Source | undefined> {
  for (const folder of [path, join(path, layout.folder)]) {
    const names = (await readdir(folder).catch(() => [])).sort();
    const train = names.filter((name) => layout.train.test(name));
    // CIFAR-100's names are plain words: its lists of classes tell it from any other train.bin.
    if (layout === CIFAR100 && !names.includes("fine_label_names.txt")) continue;
    const parts = { train, test: names.filter((name) => name === layout.test) };
    const splits = (["train", "test"] as const).filter((split) => parts[split].length > 0);
    if (splits.length === 0) continue;
    return {
      splits,
      open: (split) => openRecords(folder, parts[split as "train" | "test"], layout, options),
    };
  }
  return undefined;
}

async function openRecords(root: string, names: readonly string[], layout: Layout, { labelColumn }: SourceOptions) {
  const label = labelColumn ?? layout.labels[layout.labels.length - 1];
  const byte = layout.labels.indexOf(label);
  if (byte < 0) throw dataError(root, `has no labels "${label}"`, `It has ${layout.labels.join(" and ")}`);
  const { count, file } = layout.classesOf(label);
  const classes = (await readClasses(root, [file])) ?? Array.from({ length: count }, (_, i) => String(i));
  if (classes.length !== count)
    throw dataError(join(root, file), `names ${classes.length} classes instead of ${count}`);
  const files: DataFile[] = [];
  const samples: ImageSample[] = [];
  for (const name of names) {
    const path = join(root, name);
    const { labels, size, record } = readLabels(path, layout, byte, count);
    labels.forEach((label, i) => {
      const place = { file: files.length, at: i * record + record - PIXELS, length: PIXELS };
      samples.push({ path: `${path}#${i}`, label, place });
    });
    files.push({ kind: "pixels", path, bytes: size, width: 32, height: 32, channels: 3 });
  }
  return { classes, samples, root, files };
}

/** Byte `byte` of each record, checked. */
function readLabels(path: string, layout: Layout, byte: number, classes: number) {
  const record = layout.labels.length + PIXELS;
  const file = openReadOnly(path);
  try {
    const whole = Math.floor(file.size / record);
    if (file.size === 0) throw dataError(path, "the file is empty (zero bytes)");
    if (file.size % record !== 0) {
      const what = `${file.size} bytes are not a whole number of records of ${record}: it has ${whole} and ${file.size % record} bytes`;
      throw dataError(path, what, `Is ${basename(path)} complete?`);
    }
    const labels: number[] = [];
    const step = 512;
    for (let first = 0; first < whole; first += step) {
      const block = file.read(first * record, step * record);
      for (let at = byte; at < block.length; at += record) {
        if (block[at] >= classes) {
          throw dataError(path, `record ${labels.length} has label ${block[at]}; there are ${classes} classes`);
        }
        labels.push(block[at]);
      }
    }
    if (labels.length !== whole) throw dataError(path, "has become shorter while it was read");
    return { labels, size: file.size, record };
  } finally {
    file.close();
  }
}
