import { readdir, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import {
  foldDataset,
  type ImageDataset,
  type ImageSample,
  relabel,
  splitDataset,
  subsetDataset,
} from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";
import { openCifar10, openCifar100 } from "./cifar.ts";
import { checkSameClasses, isImage, openFolder } from "./folder.ts";
import { DATASETS, type DatasetKind } from "./kinds.ts";
import { openMnist } from "./mnist.ts";
import {
  ALL,
  dataError,
  listed,
  type OpenSource,
  type Source,
  type SourceOptions,
  splitOfName,
  VAL_NAMES,
} from "./source.ts";

export interface OpenDataOptions {
  /** What the path holds; default: found by looking. */
  dataset?: DatasetKind;
  /** Default: train, or the only one there is. */
  trainSplit?: string;
  /** Default: the first of val, validation, valid, test that there is; else a part of train. */
  valSplit?: string;
  /** Part of each class of train that becomes val where there is no val. Default 0.2. */
  valFraction?: number;
  /** Of that split, and of folds. Default 0. */
  seed?: number;
  /** Part of each class of train, after val is taken off, that is trained on. Default 1. */
  trainFraction?: number;
  /** Cross-validation: fold `fold` (from 0) of `folds` of train is val, whatever else there is. */
  folds?: number;
  fold?: number;
  /** Column of the labels (csv, parquet); `fine` or `coarse` (cifar100). */
  labelColumn?: string;
  /** Folder that the paths of a CSV list start from; default: its own. */
  dataRoot?: string;
  /** Incomplete samples are an error instead of being left out and named in `notes`. */
  strict?: boolean;
}

export interface OpenedData {
  kind: DatasetKind;
  train: ImageDataset;
  /** Without samples where nothing is held out. */
  val: ImageDataset;
  /** The split that val is; absent where it is a part of train. */
  valSplit?: string;
  /** A line for each thing that was left out. */
  notes: string[];
}

/** Those with libraries of their own are loaded when they are asked for: 47 modules fewer at every run's start. */
const OPENERS: Readonly<Record<DatasetKind, OpenSource>> = {
  folder: openFolder,
  cifar10: openCifar10,
  cifar100: openCifar100,
  mnist: openMnist,
  wds: async (...given) => (await import("./webdataset.ts")).openWebDataset(...given),
  parquet: async (...given) => (await import("./parquet.ts")).openParquet(...given),
  csv: async (...given) => (await import("./csv.ts")).openCsv(...given),
};

const LAYOUTS: Readonly<Record<DatasetKind, string>> = {
  folder: "folders of classes",
  cifar10: "data_batch_1.bin and so on, the binary version",
  cifar100: "train.bin, test.bin and fine_label_names.txt, the binary version",
  mnist: "train-images-idx3-ubyte and train-labels-idx1-ubyte, or those with .gz",
  wds: "tar files",
  parquet: "Parquet files",
  csv: "a CSV list",
};

/**
 * Opens the image set at a path: finds what it holds, and its train and val.
 * @throws TesseraeError `usage` for options that make no sense, `data` for what cannot be read as an image set.
 */
export async function openData(path: string, options: OpenDataOptions = {}): Promise<OpenedData> {
  checkOptions(options);
  const { root, kind, source, notes } = await openSource(path, options);
  const parts = partOfTrain(await openParts(root, kind, source, options), options);
  const count = parts.train.classes.length;
  if (count < 2) throw dataError(root, `only one class, ${parts.train.classes[0]}`, "Training needs two or more");
  return { kind, ...parts, notes };
}

function partOfTrain<T extends { train: ImageDataset }>(parts: T, { trainFraction = 1, seed = 0 }: OpenDataOptions): T {
  const { train } = parts;
  return trainFraction === 1 ? parts : { ...parts, train: subsetDataset(train, trainFraction, seed, keyIn(train)) };
}

/** A sample's path within its dataset: splits, folds and parts go by it. */
const keyIn =
  ({ root }: ImageDataset) =>
  ({ path }: ImageSample): string =>
    relativeTo(root, path);

/** One part of the image set at a path, whole. @throws TesseraeError as `openData`. */
export async function openSplit(
  path: string,
  split: string,
  options: OpenDataOptions = {},
): Promise<{ dataset: ImageDataset; notes: string[] }> {
  const { root, source, notes } = await openSource(path, options);
  if (!source.splits.includes(split)) throw noSplit(root, split, source);
  return { dataset: await source.open(split), notes };
}

async function openSource(path: string, options: OpenDataOptions) {
  const { strict = false, labelColumn, dataRoot } = options;
  const root = resolve(path);
  const notes: string[] = [];
  const kind = options.dataset ?? (await kindOf(root));
  const note = (line: string) => void notes.push(line);
  const source = await OPENERS[kind](root, { strict, labelColumn, dataRoot, note });
  if (source) return { root, kind, source, notes };
  if (!/[{}]/.test(root) && !(await stat(root).catch(() => undefined))) throw dataError(root, "no such file or folder");
  throw dataError(root, `holds no ${kind} data: ${LAYOUTS[kind]}`, await pickled(root));
}

const noSplit = (root: string, name: string, { splits }: Source): TesseraeError =>
  dataError(root, `no split ${name}`, `It has ${listed(splits)}`);

function checkOptions(options: OpenDataOptions): void {
  const { dataset, valFraction = 0, trainFraction = 1, folds, fold, valSplit, trainSplit } = options;
  const need = (ok: boolean, what: string, hint?: string): void => {
    if (!ok) throw new TesseraeError("usage", what, { hint });
  };
  need(
    dataset === undefined || DATASETS.includes(dataset),
    `no kind of data "${dataset}"`,
    `There are ${DATASETS.join(", ")}`,
  );
  need(valFraction >= 0 && valFraction < 1, `valFraction ${valFraction} is not in [0, 1)`);
  need(trainFraction > 0 && trainFraction <= 1, `trainFraction ${trainFraction} is not in (0, 1]`);
  need((folds === undefined) === (fold === undefined), "folds and fold go together", "As in --folds 5 --fold 0");
  if (folds !== undefined && fold !== undefined) {
    need(Number.isInteger(folds) && folds >= 2, `${folds} folds are not a whole number of 2 or more`);
    need(Number.isInteger(fold) && fold >= 0 && fold < folds, `fold ${fold} is not one of 0 to ${folds - 1}`);
    need(valSplit === undefined, "folds make val from train", "Leave out --val-split");
  }
  need(trainSplit === undefined || trainSplit !== valSplit, `train and val are both ${trainSplit}`);
}

/** What a path holds, by names alone. */
async function kindOf(path: string): Promise<DatasetKind> {
  if (/\{.*\}.*\.tar$/.test(path)) return "wds";
  const info = await stat(path).catch(() => undefined);
  if (info?.isFile()) return kindOfFile(path);
  const names = await readdir(path).catch(() => [] as string[]);
  for (const kind of ["cifar10", "cifar100", "mnist"] as const) {
    if (names.length > 0 && (await OPENERS[kind](path, QUIET))) return kind;
  }
  const hint = await pickled(path);
  if (hint) throw dataError(path, "holds CIFAR in its pickled form, which only Python reads", hint);
  if (await holdsClasses(path)) return "folder";
  for (const kind of ["wds", "parquet"] as const) if (await OPENERS[kind](path, QUIET)) return kind;
  return names.some((name) => LIST.test(name)) ? "csv" : "folder";
}

const LIST = /^(train|labels|data|images|metadata|list)\.[ct]sv$/i;

/** A train folder with folders in it, or two folders with images whose names are of no split. */
async function holdsClasses(path: string): Promise<boolean> {
  const source = await openFolder(path).catch(() => undefined);
  if (source && !source.splits.includes(ALL)) return true;
  let found = 0;
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    if (!entry.isDirectory() || splitOfName(entry.name)) continue;
    const inner = await readdir(join(path, entry.name)).catch(() => []);
    if (inner.some(isImage) && ++found === 2) return true;
  }
  return false;
}

const QUIET: SourceOptions = { strict: false, note: () => {} };

function kindOfFile(path: string): DatasetKind {
  if (/\.tar$/i.test(path)) return "wds";
  if (/\.parquet$/i.test(path)) return "parquet";
  if (/\.[ct]sv$/i.test(path)) return "csv";
  const packed = /\.(tar\.\w+|tgz|zip)$/i.test(path);
  const hint = packed ? "Unpack it first" : "DATA is a folder, a .tar, a .parquet or a .csv";
  throw dataError(path, packed ? "is compressed, so that it cannot be read in place" : "not a folder", hint);
}

async function pickled(path: string): Promise<string | undefined> {
  const names = await readdir(path).catch(() => [] as string[]);
  const found = names.some((name) => /^(data_batch_1|batches\.meta|cifar-100?-?(batches-py|python))$/.test(name));
  return found
    ? "Use the binary version of the same site (cifar-10-binary.tar.gz, cifar-100-binary.tar.gz)"
    : undefined;
}

async function openParts(root: string, kind: DatasetKind, source: Source, options: OpenDataOptions) {
  const { valFraction = 0.2, seed = 0, folds, fold } = options;
  const { splits } = source;
  const trainName = options.trainSplit ?? trainOf(root, splits);
  const valName = options.valSplit ?? VAL_NAMES.find((name) => splits.includes(name) && name !== trainName);
  for (const name of [trainName, valName]) {
    if (name !== undefined && !splits.includes(name)) throw noSplit(root, name, source);
  }
  const train = await source.open(trainName);
  const keyOf = keyIn(train);
  if (folds !== undefined && fold !== undefined) return foldDataset(train, { folds, fold, seed }, keyOf);
  if (valName === undefined) return splitDataset(train, valFraction, seed, keyOf);
  const val = await source.open(valName);
  if (kind === "folder") checkSameClasses(train, val);
  const same = relabel(val, train.classes);
  if (same) return { train, val: same, valSplit: valName };
  const extra = val.classes.filter((name) => !train.classes.includes(name));
  throw dataError(root, `${valName} has classes that ${trainName} lacks: ${listed(extra)}`);
}

function trainOf(root: string, splits: readonly string[]): string {
  if (splits.includes("train")) return "train";
  if (splits.length === 1) return splits[0];
  throw dataError(root, `has ${listed(splits)}, none of them train`, "Choose with --train-split");
}

function relativeTo(root: string, path: string): string {
  const base = root.endsWith(sep) ? root : root + sep;
  return (path.startsWith(base) ? path.slice(base.length) : relative(root, path)).split(sep).join("/");
}
