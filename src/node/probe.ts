import { join } from "node:path";
import type { ImageDataset } from "../data/dataset.ts";
import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import { featureModel, withHead } from "../models/features.ts";
import type { Model } from "../models/model.ts";
import { type ModelSpec, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { type KnnOptions, knn } from "../train/knn.ts";
import { Meter, type Metrics } from "../train/metrics.ts";
import { type FeatureSet, fitProbe, type Probe, probeLogits } from "../train/probe.ts";
import { createCheckpointStore } from "./checkpoint-store.ts";
import { createEngine } from "./engine.ts";
import { exportFile } from "./export-file.ts";
import { computeFeatures, type FeatureOptions, type Features } from "./features.ts";
import type { ResolveOptions } from "./hub/index.ts";
import { inRunFolder } from "./in-run-folder.ts";
import { fromCheckpoint } from "./model-files.ts";
import { buildModel } from "./recipe.ts";
import { MODEL_FILE, writeConfig } from "./run-folder.ts";
import { settle, type TrainSettings } from "./settings/index.ts";
import { type OpenedData, openData } from "./sources/open-data.ts";
import { startOf } from "./start.ts";

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

/** An image set and the frozen model whose features are judged on it, under the names of the settings of `train`. */
export interface FrozenOptions extends Partial<TrainSettings>, Omit<FeatureOptions, keyof TrainSettings> {
  readonly data: string;
  readonly pretrained: string;
  /** How a model on the hub is fetched. */
  readonly hub?: ResolveOptions;
  readonly onNote?: (line: string) => void;
}

interface Frozen {
  readonly settings: TrainSettings;
  readonly data: OpenedData;
  readonly model: Model;
  readonly weights: Weights;
  readonly facts: Pick<ModelSpec, "license">;
}

async function openFrozen(options: FrozenOptions): Promise<Frozen> {
  const { settings, start } = await startOf(settle(options), options, options.hub);
  const data = await openData(options.data, settings);
  if (data.val.samples.length === 0)
    throw new TesseraeError("data", "nothing is held out to judge by", { where: options.data });
  const model = buildModel(settings, data.train.classes.length, start);
  const { weights, lines } = start.weights(model, settings.seed);
  for (const line of lines) options.onNote?.(line);
  for (const line of data.notes) options.onWarning?.(line);
  return { settings, data, model, weights: weights(), facts: start.facts };
}

async function featuresOfBoth(
  { data, model, weights }: Frozen,
  backend: Backend,
  options: FrozenOptions,
): Promise<{ train: Features; val: Features; skipped: Map<string, string> }> {
  const train = await computeFeatures(model, weights, data.train, backend, options);
  const val = await computeFeatures(model, weights, data.val, backend, options);
  return { train, val, skipped: new Map([...train.skipped, ...val.skipped]) };
}

export interface ProbeResult extends Pick<Probe, "decay" | "crossValidated"> {
  /** On the images that were held out. */
  readonly metrics: Metrics;
  /** The run folder, which predicts, is evaluated and is exported as one of `train`. */
  readonly output: string;
  readonly onnx: string;
  readonly skipped: ReadonlyMap<string, string>;
}

/** Fits a linear classifier on the frozen features of a model and leaves both as a run. Throws TesseraeError. */
export async function linearProbe(options: FrozenOptions & { readonly output: string }): Promise<ProbeResult> {
  const frozen = await openFrozen(options);
  const { settings, data, model, weights, facts } = frozen;
  featureModel(model); // refuses before anything is written
  const { output } = options;
  return inRunFolder(output, async () => {
    const backend = await createEngine({ device: settings.device, threads: settings.threads });
    try {
      const store = createCheckpointStore(output, { history: 1 });
      if ((await store.list()).length > 0)
        throw new TesseraeError("usage", "holds a run already", { where: output, hint: "Choose another --output" });
      const { train, val, skipped } = await featuresOfBoth(frozen, backend, options);
      const classes = model.numClasses;
      const probe = await fitProbe(backend, train, { classes, seed: settings.seed });
      const metrics = measured(probe, val, classes);
      const spec = { ...specOf(model, namesOf(data, classes)), ...facts };
      await writeConfig(output, { data: options.data, dataset: data.kind, output, settings, spec });
      const state = { step: 0, metric: metrics.top1, model: withHead(model, weights, probe), optimizer: new Map() };
      const path = await store.save({ ...state, meta: { spec, settings } });
      const onnx = join(output, MODEL_FILE);
      await exportFile(fromCheckpoint(await store.load(path)), onnx);
      return { decay: probe.decay, crossValidated: probe.crossValidated, metrics, output, onnx, skipped };
    } finally {
      await backend.dispose();
    }
  });
}

const namesOf = ({ train }: OpenedData, count: number): string[] =>
  Array.from({ length: count }, (_, i) => train.classes[i] ?? String(i));

function measured(probe: Probe, set: FeatureSet, classes: number): Metrics {
  const meter = new Meter();
  meter.add(probeLogits(probe, set), set.labels, classes);
  return meter.metrics;
}

export interface KnnResult {
  readonly metrics: Metrics;
  readonly skipped: ReadonlyMap<string, string>;
}

/** Classifies the held-out images by their nearest neighbours among the others. Throws TesseraeError. */
export async function knnEvaluation(options: FrozenOptions & Omit<KnnOptions, "classes">): Promise<KnnResult> {
  const frozen = await openFrozen(options);
  const { settings, model } = frozen;
  const backend = await createEngine({ device: settings.device, threads: settings.threads });
  try {
    const { train, val, skipped } = await featuresOfBoth(frozen, backend, options);
    const { k, temperature } = options;
    return { metrics: await knn(backend, train, val, { classes: model.numClasses, k, temperature }), skipped };
  } finally {
    await backend.dispose();
  }
}
