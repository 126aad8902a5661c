import type { ImageDataset } from "../data/dataset.ts";
import type { TensorData } from "../graph/types.ts";
import { withHead } from "../models/features.ts";
import type { Model } from "../models/model.ts";
import type { Weights } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { fitProbe } from "../train/probe.ts";
import { computeFeatures, type FeatureOptions } from "./features.ts";

/** Weights whose classifier is the linear probe of their features on a data set. Throws TesseraeError. */
export async function probedHead(
  model: Model,
  weights: Weights,
  dataset: ImageDataset,
  backend: Backend,
  options: FeatureOptions & { readonly seed: number },
): Promise<Map<string, TensorData>> {
  const features = await computeFeatures(model, weights, dataset, backend, options);
  const probe = await fitProbe(backend, features, { classes: model.numClasses, seed: options.seed });
  return withHead(model, weights, probe);
}
