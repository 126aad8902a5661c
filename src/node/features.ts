import type { ImageDataset } from "../data/dataset.ts";
import type { TensorData } from "../graph/types.ts";
import { featureModel } from "../models/features.ts";
import type { Model } from "../models/model.ts";
import { specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { imageFeed, inferenceProgram } from "../train/evaluate.ts";
import { channelsOf, transformOf } from "../train/predictor.ts";
import type { FeatureSet } from "../train/probe.ts";
import { cachedFeatures, type FeatureRows, featureKey, keepFeatures } from "./feature-cache.ts";
import { createLoader } from "./loader.ts";

export interface FeatureOptions {
  /** Images of a run. Default 32. */
  readonly batchSize?: number;
  /** Data workers. Default 1. */
  readonly workers?: number;
  /** A file that cannot be read is an error instead of being left out. */
  readonly strict?: boolean;
  /** Keep features on disk, and take those that are there. Default true. */
  readonly cache?: boolean;
  readonly onProgress?: (done: number, total: number) => void;
  readonly onWarning?: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Features extends FeatureRows, FeatureSet {
  /** Files that could not be read: path and reason. Empty where the features were at hand. */
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Pooled features of every image of a set, by a model without its classifier, as evaluation prepares them. They are kept
 * on disk by data, weights, model, size and preprocessing. Throws TesseraeError.
 */
export async function computeFeatures(
  model: Model,
  weights: Weights,
  dataset: ImageDataset,
  backend: Backend,
  options: FeatureOptions = {},
): Promise<Features> {
  const { cache = true, onWarning = () => {} } = options;
  const body = featureModel(model);
  const own = new Map(body.slots.map(({ name }) => [name, weights.get(name) as TensorData]));
  const labelled = (found: FeatureRows, skipped: ReadonlyMap<string, string>): Features => ({
    ...found,
    labels: Int32Array.from(found.rows, (row) => dataset.samples[row].label),
    skipped,
  });
  const key = cache ? await featureKey(dataset, specOf(body, []), own) : undefined;
  const kept = key === undefined ? undefined : await cachedFeatures(key);
  if (kept === "damaged") onWarning("cached features are damaged: they are computed again");
  else if (kept) return labelled(kept, new Map());
  const { skipped, ...found } = await extract(body, own, dataset, backend, options);
  if (key !== undefined && skipped.size === 0)
    await keepFeatures(key, found).catch((error: Error) => onWarning(`features are not kept: ${error.message}`));
  return labelled(found, skipped);
}

async function extract(
  body: Model,
  weights: Weights,
  dataset: ImageDataset,
  backend: Backend,
  { batchSize = 32, workers = 1, strict, onProgress, signal }: FeatureOptions,
): Promise<FeatureRows & { skipped: ReadonlyMap<string, string> }> {
  const batch = Math.min(batchSize, dataset.samples.length);
  const loader = createLoader({
    dataset,
    transform: transformOf(body),
    inChans: channelsOf({ name: body.name, inputShape: body.inputShape }),
    batchSize: batch,
    shuffle: false,
    dropLast: false,
    seed: 0,
    workers,
    strict,
  });
  const session = await backend.load(inferenceProgram(body, batch, weights));
  const parts: Float32Array[] = [];
  const rows: number[] = [];
  let [dim, done] = [0, 0];
  try {
    for await (const { images, indices } of loader.epoch(0)) {
      const feeds = new Map([["image", imageFeed(images, body)]]);
      const found = (await session.run(feeds, { consume: ["image"] })).get("logits") as TensorData;
      dim = found.shape[1];
      for (const [i, index] of indices.entries()) {
        if (index < 0) continue;
        rows.push(index);
        parts.push((found.data as Float32Array).slice(i * dim, (i + 1) * dim));
      }
      onProgress?.(++done, loader.batchesPerEpoch);
      signal?.throwIfAborted();
    }
  } finally {
    await Promise.all([session.dispose(), loader.close()]);
  }
  const values = new Float32Array(rows.length * dim);
  for (const [i, part] of parts.entries()) values.set(part, i * dim);
  return { values, dim, rows: Int32Array.from(rows), skipped: new Map(loader.skipped) };
}
