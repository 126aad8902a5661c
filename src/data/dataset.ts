import { keyed } from "./random.ts";

export interface ImageSample {
  path: string;
  /** Index into the dataset's classes. */
  label: number;
}

export interface ImageDataset {
  /** Names, in code-point order. */
  classes: string[];
  samples: ImageSample[];
  root: string;
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
  const byClass: number[][] = dataset.classes.map(() => []);
  dataset.samples.forEach((sample, i) => {
    byClass[sample.label].push(i);
  });
  const inVal = new Uint8Array(dataset.samples.length);
  for (const members of byClass) {
    const ranked = members.map((i) => {
      const key = keyOf(dataset.samples[i]);
      return { i, key, rank: keyed(seed, "split", key).uniform() };
    });
    ranked.sort((a, b) => a.rank - b.rank || compareCodePoints(a.key, b.key));
    const wanted = Math.round(members.length * valFraction);
    const count = members.length < 2 || valFraction === 0 ? 0 : Math.min(members.length - 1, Math.max(1, wanted));
    for (const { i } of ranked.slice(0, count)) inVal[i] = 1;
  }
  const part = (wanted: number): ImageDataset => ({
    ...dataset,
    samples: dataset.samples.filter((_, i) => inVal[i] === wanted),
  });
  return { train: part(0), val: part(1) };
}
