import { CORRUPTIONS, checkCorruptions, corrupt, corruptionNames } from "../data/corrupt/index.ts";
import type { ImageDataset } from "../data/dataset.ts";
import type { Batch } from "../data/loader.ts";
import { TesseraeError } from "../errors.ts";
import type { Robustness } from "../explain/robustness.ts";
import type { Backend } from "../runtime/backend.ts";
import { Meter } from "../train/metrics.ts";
import { channelsOf, transformOf } from "../train/predictor.ts";
import { someOf } from "./images.ts";
import { createLoader } from "./loader.ts";
import type { TrainedModel } from "./model-files.ts";
import { createPredictor, type Predictor } from "./predictor.ts";

export interface RobustnessOptions {
  /** Names of `CORRUPTIONS`. Default: all. */
  readonly corruptions?: readonly string[];
  /** Images at most, at even distances in the set. Default: all. */
  readonly limit?: number;
  /** Of what the corruptions draw. Default 0. */
  readonly seed?: number;
  /** Data workers. Default 1. */
  readonly workers?: number;
  /** A file that cannot be read is an error instead of being left out. */
  readonly strict?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

export interface MeasuredRobustness extends Robustness {
  /** Files that could not be read: path and reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

const BATCH = 32;

/** A corruption at one severity, and what the model makes of it. */
interface Trial {
  readonly name: string;
  readonly severity: number;
  readonly meter: Meter;
}

/**
 * Evaluates a model on corrupted copies of images, made of the pixels that it sees; labels are the model's own. Throws
 * TesseraeError("usage") for corruptions that do not exist, and for models that see pixels in another order.
 */
export async function measureRobustness(
  trained: TrainedModel,
  dataset: ImageDataset,
  backend: Backend,
  { corruptions = corruptionNames, limit, seed = 0, workers = 1, strict, onProgress, signal }: RobustnessOptions = {},
): Promise<MeasuredRobustness> {
  checkCorruptions(corruptions);
  const { spec } = trained;
  if (spec.preprocessing.permute_pixels !== undefined)
    throw new TesseraeError("usage", "sees the pixels in another order, of which no corruption makes sense", {
      where: trained.path,
    });
  const images = limit !== undefined && limit < dataset.samples.length ? someOf(dataset, limit) : dataset;
  const loader = createLoader({
    ...{ dataset: images, transform: transformOf(spec), inChans: channelsOf(spec), workers, strict, seed: 0 },
    ...{ batchSize: Math.min(BATCH, images.samples.length), shuffle: false, dropLast: false },
  });
  const predictor = await createPredictor(trained, backend);
  const clean = new Meter();
  const trials = corruptions.flatMap((name) =>
    CORRUPTIONS[name].levels.map((_, i): Trial => ({ name, severity: i + 1, meter: new Meter() })),
  );
  try {
    const total = loader.batchesPerEpoch * trials.length;
    let done = 0;
    for await (const batch of loader.epoch(0)) {
      clean.add(await predictor.logits(batch.images.slice()), batch.labels, spec.classes.length);
      await measureBatch(predictor, batch, trials, seed, () => {
        onProgress?.(++done, total);
        signal?.throwIfAborted();
      });
    }
  } finally {
    await Promise.all([predictor.dispose(), loader.close()]);
  }
  const { count, top1, loss } = clean.metrics;
  const corrupted = trials.map(({ name, severity, meter: { metrics } }) => ({
    ...{ corruption: name, family: CORRUPTIONS[name].family, severity, level: CORRUPTIONS[name].levels[severity - 1] },
    ...{ top1: metrics.top1, loss: metrics.loss },
  }));
  return { images: count, seed, clean: { top1, loss }, corrupted, skipped: new Map(loader.skipped) };
}

/** All trials of a batch. The next copies are made while the engine runs. */
async function measureBatch(
  predictor: Predictor,
  batch: Batch,
  trials: readonly Trial[],
  seed: number,
  onTrial: () => void,
): Promise<void> {
  const { spec } = predictor;
  let running: Promise<void> = Promise.resolve();
  try {
    for (const { name, severity, meter } of trials) {
      const pixels = corruptBatch(batch, spec.inputShape, name, severity, seed);
      await running;
      running = predictor.logits(pixels).then((logits) => {
        meter.add(logits, batch.labels, spec.classes.length);
      });
      onTrial();
    }
  } finally {
    await running;
  }
}

/** A corrupted copy of a batch's images [B, C, H, W]; places without an image stay as they are. */
function corruptBatch(
  { images, labels, indices }: Batch,
  [channels, height, width]: readonly number[],
  name: string,
  severity: number,
  seed: number,
): Uint8Array {
  const out = images.slice();
  const size = channels * height * width;
  indices.forEach((index, i) => {
    if (index < 0 || labels[i] < 0) return;
    const data = images.subarray(i * size, (i + 1) * size);
    out.set(corrupt({ data, channels, width, height }, name, severity, { seed, index }).data, i * size);
  });
  return out;
}
