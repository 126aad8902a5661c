import { keyed } from "./random.ts";

/** A file that holds many samples. Plain data: it crosses threads. */
export type DataFile = { path: string; bytes: number } & (
  | { kind: "encoded" }
  /** Raw pixels [C, H, W] of one size; `memory`: the unpacked content, where the file itself is compressed. */
  | { kind: "pixels"; width: number; height: number; channels: 1 | 3; memory?: SharedArrayBuffer }
  /** `column` holds the images: bytes, or a struct with a field `bytes`. */
  | { kind: "parquet"; column: string }
);

/** Where in a `DataFile` a sample lies. Plain data. */
export interface Place {
  /** Index into the dataset's `files`. */
  file: number;
  /** Offset in bytes; in a Parquet file the row within its group. */
  at: number;
  /** Bytes; in a Parquet file the mean of the row group. */
  length: number;
  /** Samples of one block (of a Parquet file: row group) are best read together. Absent where reading one at a time costs nothing more. */
  block?: number;
}

/** An image and its class. Without a place it is the file at `path`. */
export interface ImageSample {
  /** The file, or a name for what lies in one: "shard-0.tar/0001.jpg". Messages, splits and folds go by it. */
  path: string;
  /** Index into the dataset's classes. */
  label: number;
  place?: Place;
  /** How often weighted sampling draws it, relative to the others; default 1. */
  weight?: number;
}

export interface ImageDataset {
  /** Names, in the order of the labels. */
  classes: string[];
  samples: ImageSample[];
  /** What was opened: a folder or a file. */
  root: string;
  files?: DataFile[];
}

/** Order by Unicode code points, as Python sorts: UTF-16 order differs above U+FFFF. */
export function compareCodePoints(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates (U+D800 to U+DFFF) stand for code points above all other units.
    const high = (unit: number) => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);
    return high(x) - high(y);
  }
  return a.length - b.length;
}

/**
 * A stratified split: in each class, `valFraction` of the samples (at least one, and never all) go to val. Which ones
 * is a hash of seed and `keyOf(sample)`, so the split does not depend on order, and files added later move few others.
 */
export function splitDataset(
  dataset: ImageDataset,
  valFraction: number,
  seed: number,
  keyOf: (sample: ImageSample) => string = (sample) => sample.path,
): { train: ImageDataset; val: ImageDataset } {
  const inVal = new Uint8Array(dataset.samples.length);
  for (const members of rankedByClass(dataset, seed, keyOf)) {
    const wanted = Math.round(members.length * valFraction);
    const count = members.length < 2 || valFraction === 0 ? 0 : Math.min(members.length - 1, Math.max(1, wanted));
    for (const i of members.slice(0, count)) inVal[i] = 1;
  }
  return parted(dataset, inVal);
}

/**
 * Fold `fold` of `folds` as val, the others as train. Every sample is in exactly one fold; in each class, and in all,
 * the folds differ by one sample at most. Which ones is the same hash as in `splitDataset`.
 */
export function foldDataset(
  dataset: ImageDataset,
  { folds, fold, seed }: { folds: number; fold: number; seed: number },
  keyOf: (sample: ImageSample) => string = (sample) => sample.path,
): { train: ImageDataset; val: ImageDataset } {
  const inVal = new Uint8Array(dataset.samples.length);
  let dealt = 0;
  for (const members of rankedByClass(dataset, seed, keyOf)) {
    for (const i of members) if (dealt++ % folds === fold) inVal[i] = 1;
  }
  return parted(dataset, inVal);
}

/**
 * A part of the dataset in which every class has the same part of its samples, at least one. Which ones is the same hash
 * as in `splitDataset`, so the smaller part of a seed lies within the larger.
 */
export function subsetDataset(
  dataset: ImageDataset,
  fraction: number,
  seed: number,
  keyOf: (sample: ImageSample) => string = (sample) => sample.path,
): ImageDataset {
  const kept = new Uint8Array(dataset.samples.length);
  for (const members of rankedByClass(dataset, seed, keyOf))
    for (const i of members.slice(0, Math.max(1, Math.round(members.length * fraction)))) kept[i] = 1;
  return { ...dataset, samples: dataset.samples.filter((_, i) => kept[i] === 1) };
}

/** The samples of each class, by index, in the order of a hash of seed and key. */
function rankedByClass(dataset: ImageDataset, seed: number, keyOf: (sample: ImageSample) => string): number[][] {
  const byClass: { i: number; key: string; rank: number }[][] = dataset.classes.map(() => []);
  dataset.samples.forEach((sample, i) => {
    const key = keyOf(sample);
    byClass[sample.label].push({ i, key, rank: keyed(seed, "split", key).uniform() });
  });
  return byClass.map((members) =>
    members.sort((a, b) => a.rank - b.rank || compareCodePoints(a.key, b.key)).map(({ i }) => i),
  );
}

function parted(dataset: ImageDataset, inVal: Uint8Array): { train: ImageDataset; val: ImageDataset } {
  const part = (wanted: number): ImageDataset => ({
    ...dataset,
    samples: dataset.samples.filter((_, i) => inVal[i] === wanted),
  });
  return { train: part(0), val: part(1) };
}

/** The dataset with its labels counted in other `classes`; undefined where they lack one of its own. */
export function relabel(dataset: ImageDataset, classes: readonly string[]): ImageDataset | undefined {
  const index = new Map(classes.map((name, i) => [name, i]));
  const to = dataset.classes.map((name) => index.get(name));
  if (to.some((label) => label === undefined)) return undefined;
  const samples = dataset.samples.map((sample) => ({ ...sample, label: to[sample.label] as number }));
  return { ...dataset, classes: [...classes], samples };
}
