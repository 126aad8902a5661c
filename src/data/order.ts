import { TesseraeError } from "../errors.ts";
import type { ImageDataset } from "./dataset.ts";
import { keyed, permutation, type Random, shuffle } from "./random.ts";

export const SAMPLERS = ["uniform", "balanced", "weighted"] as const;
export type Sampler = (typeof SAMPLERS)[number];

export interface OrderOptions {
  /** A new order every epoch, a function of (dataset, seed, epoch). False: the dataset's own. */
  shuffle: boolean;
  seed: number;
  /**
   * `uniform` (default): every sample once. `balanced`: as many of each class. `weighted`: in proportion to the
   * samples' weights times `classWeights`. An epoch has as many draws as there are samples.
   */
  sampler?: Sampler;
  /** Class name -> weight, default 1; for `weighted`. */
  classWeights?: Readonly<Record<string, number>>;
  /** Repeated augmentation (Hoffer et al. 2020; timm's RepeatAugSampler): each draw this many times in a row. */
  augRepeats?: number;
  /** Samples within which those of blocks are mixed. Default 4096. */
  shuffleBuffer?: number;
}

export interface EpochOrder {
  /** Indices into the dataset. */
  indices: Uint32Array;
  /** How often the epoch has had the same index before. */
  repeats: Uint32Array;
}

const DEFAULT_BUFFER = 4096;
/** A window of blocks closes at so many bytes, whatever its samples, since a reader holds Parquet blocks whole. */
const WINDOW_BYTES = 256 * 2 ** 20;
/** As in timm and DeiT: with repeats, an epoch's length is rounded down to a multiple of this. */
const REPEAT_ROUND = 256;

const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });

/**
 * The order of each epoch of a dataset, and its length.
 * @throws TesseraeError `usage` for options that make no sense together.
 */
export function epochOrders(
  dataset: ImageDataset,
  options: OrderOptions,
): { length: number; order: (epoch: number) => EpochOrder } {
  const { shuffle: mixed, seed, sampler = "uniform", augRepeats = 1, shuffleBuffer = DEFAULT_BUFFER } = options;
  checkOrder(options);
  const total = dataset.samples.length;
  const weights = sampler === "uniform" ? undefined : sampleWeights(dataset, sampler, options.classWeights ?? {});
  const blocks = mixed ? blocksOf(dataset) : undefined;
  const length = augRepeats > 1 && total >= REPEAT_ROUND ? total - (total % REPEAT_ROUND) : total;
  const mixedOrder = (epoch: number): Uint32Array => {
    const drawn = weights && drawCounts(dataset, weights, keyed(seed, "draw", epoch));
    if (blocks) return mixBlocks(blocks, drawn, shuffleBuffer, keyed(seed, "blocks", epoch));
    const order = permutation(total, seed, epoch);
    if (!drawn) return order;
    const entries = spread(drawn, total);
    return order.map((i) => entries[i]);
  };
  return {
    length,
    order(epoch) {
      const once = mixed ? mixedOrder(epoch) : Uint32Array.from({ length: total }, (_, i) => i);
      const indices = augRepeats > 1 ? once.map((_, i) => once[Math.floor(i / augRepeats)]).subarray(0, length) : once;
      return { indices, repeats: countRepeats(indices, total) };
    },
  };
}

function checkOrder({ shuffle, sampler = "uniform", augRepeats = 1, shuffleBuffer = 1, classWeights }: OrderOptions) {
  const whole = (value: number) => Number.isInteger(value) && value >= 1;
  if (!SAMPLERS.includes(sampler)) throw usage(`no sampler "${sampler}"`, `There are ${SAMPLERS.join(", ")}`);
  if (!whole(augRepeats)) throw usage(`${augRepeats} repeats are not a whole number of 1 or more`);
  if (!whole(shuffleBuffer)) throw usage(`a shuffle buffer of ${shuffleBuffer} is not a whole number of 1 or more`);
  if (!shuffle && (sampler !== "uniform" || augRepeats > 1)) throw usage("samplers and repeats need a shuffled order");
  if (classWeights && sampler !== "weighted") throw usage("class weights are for the weighted sampler");
}

/** Of each sample, scaled so that they sum to the number of samples: how often an epoch is to draw it on average. */
function sampleWeights(
  { samples, classes, root }: ImageDataset,
  sampler: Sampler,
  classWeights: Readonly<Record<string, number>>,
): Float64Array {
  const unknown = Object.keys(classWeights).find((name) => !classes.includes(name));
  if (unknown !== undefined) throw usage(`a weight is given for "${unknown}", which is no class of the data`);
  const perClass = new Float64Array(classes.length);
  for (const { label } of samples) perClass[label]++;
  const byClass = classes.map((name, label) =>
    sampler === "balanced" ? 1 / perClass[label] : Object.hasOwn(classWeights, name) ? classWeights[name] : 1,
  );
  const weights = Float64Array.from(samples, ({ label, weight = 1 }) =>
    sampler === "balanced" ? byClass[label] : byClass[label] * weight,
  );
  const bad = weights.findIndex((w) => !(w >= 0 && w < Infinity));
  if (bad >= 0) {
    throw new TesseraeError("data", `weight ${weights[bad]} is not a number of 0 or more`, {
      where: samples[bad].path,
    });
  }
  const sum = weights.reduce((a, b) => a + b, 0);
  if (!(sum > 0 && sum < Infinity)) throw new TesseraeError("data", `the weights sum to ${sum}`, { where: root });
  return weights.map((w) => (w * samples.length) / sum);
}

/**
 * Systematic sampling (Madow 1949) over the samples class by class, shuffled within: sample i is drawn floor(w_i) or
 * ceil(w_i) times, w_i on average, and each class as its weights sum, within one. Returns the times of each.
 */
function drawCounts({ samples, classes }: ImageDataset, weights: Float64Array, random: Random): Uint32Array {
  const byClass: number[][] = classes.map(() => []);
  samples.forEach(({ label }, i) => {
    byClass[label].push(i);
  });
  const counts = new Uint32Array(samples.length);
  const ranked = byClass.flatMap((members) => shuffle(members, random));
  const start = random.uniform();
  const last = ranked.findLastIndex((i) => weights[i] > 0);
  let reached = 0;
  let before = 0;
  ranked.forEach((i, at) => {
    // The sum of the weights but for rounding, which must cost no draw.
    reached = at >= last ? samples.length : Math.min(samples.length, reached + weights[i]);
    const after = Math.floor(reached + start);
    counts[i] = after - before;
    before = after;
  });
  return counts;
}

/** Counts -> the indices, each as often as counted. */
function spread(counts: Uint32Array, total: number): Uint32Array {
  const entries = new Uint32Array(total);
  let at = 0;
  counts.forEach((count, i) => {
    entries.fill(i, at, at + count);
    at += count;
  });
  return entries;
}

interface Block {
  first: number;
  end: number;
  bytes: number;
}

/** Runs of samples that are best read together; undefined where that does not matter. */
function blocksOf({ samples }: ImageDataset): Block[] | undefined {
  if (!samples.some(({ place }) => place?.block !== undefined)) return undefined;
  const blocks: Block[] = [];
  samples.forEach(({ place }, i) => {
    const before = samples[i - 1]?.place;
    const same = i > 0 && place?.file === before?.file && place?.block === before?.block;
    if (!same) blocks.push({ first: i, end: i, bytes: 0 });
    const block = blocks[blocks.length - 1];
    block.end = i + 1;
    block.bytes += place?.length ?? 0;
  });
  return blocks;
}

/**
 * A shuffle buffer, simulated: the blocks come in shuffled order and fill a window of `buffer` samples (or
 * WINDOW_BYTES, and at least two blocks), which is then emptied in shuffled order, and the next one is filled. Reading
 * stays within a window, whose size bounds what a reader must hold; any batch is known without those before it.
 */
function mixBlocks(
  blocks: readonly Block[],
  counts: Uint32Array | undefined,
  buffer: number,
  random: Random,
): Uint32Array {
  const order = shuffle(
    blocks.map((_, i) => i),
    random,
  );
  const out: number[] = [];
  let window: number[] = [];
  let held = 0;
  let bytes = 0;
  for (const which of order) {
    const { first, end, bytes: size } = blocks[which];
    for (let i = first; i < end; i++) for (let k = counts ? counts[i] : 1; k > 0; k--) window.push(i);
    held++;
    bytes += size;
    if (held > 1 && (window.length >= buffer || bytes >= WINDOW_BYTES)) {
      for (const i of shuffle(window, random)) out.push(i);
      [window, held, bytes] = [[], 0, 0];
    }
  }
  for (const i of shuffle(window, random)) out.push(i);
  return Uint32Array.from(out);
}

function countRepeats(indices: Uint32Array, total: number): Uint32Array {
  const seen = new Uint32Array(total);
  return indices.map((index) => seen[index]++);
}
