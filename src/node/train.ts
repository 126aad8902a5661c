import { join } from "node:path";
import type { ImageDataset } from "../data/dataset.ts";
import type { Loader } from "../data/loader.ts";
import { evalTransform, trainTransform } from "../data/transform.ts";
import { TesseraeError } from "../errors.ts";
import { createModel } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { specOf } from "../models/spec.ts";
import { countParameters, initialize } from "../models/trace.ts";
import { createOptimizer } from "../optim/index.ts";
import { schedule } from "../optim/schedule.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { type FitResult, fit } from "../train/fit.ts";
import { type CheckpointStore, createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { createEngine } from "./engine.ts";
import { openImageFolder } from "./folder.ts";
import { createLoader } from "./loader.ts";
import { exportFile, fromCheckpoint } from "./model-files.ts";
import { runtimeVersion } from "./ort.ts";
import { channelsOf } from "./predictor.ts";
import { checkResumed } from "./resumed.ts";
import { MODEL_FILE, makeRunFolder, SummaryFile, writeConfig } from "./run-folder.ts";
import { acquireRunLock } from "./run-lock.ts";
import { settle, type TrainEvent, type TrainOptions, type TrainSettings } from "./train-options.ts";

export interface TrainResult extends Omit<FitResult, "weights"> {
  /** The run folder: checkpoints, model.onnx, summary.csv, config.json. */
  readonly output: string;
  /** The exported model; absent where the run was interrupted. */
  readonly onnx?: string;
  /** Files that could not be read: path and reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Trains a model on a folder of images and leaves a run folder. Same settings, same machine: same weights, whatever
 * the number of data workers. Throws TesseraeError; aborting `signal` finishes the step, saves and returns.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const settings = settle(options);
  const emit = options.onEvent ?? (() => {});
  const data = await openImageFolder(options.data, { valFraction: settings.valFraction, seed: settings.seed });
  const model = buildModel(settings, data.train.classes.length);
  createOptimizer(settings.opt); // a name that does not exist is refused before any folder is made
  const output = options.output ?? defaultOutput(settings.model);
  const undo = await makeRunFolder(output);
  try {
    const lock = acquireRunLock(output);
    try {
      return await trainIn(output, { ...options, onEvent: emit }, settings, model, data);
    } finally {
      lock.release();
    }
  } catch (error) {
    await undo();
    throw error;
  }
}

const defaultOutput = (model: string): string =>
  join("runs", `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}-${model}`);

function buildModel(s: TrainSettings, classes: number): Model {
  if (s.numClasses !== undefined && s.numClasses < classes)
    throw new TesseraeError("usage", `num-classes ${s.numClasses} is less than the ${classes} classes of the data`);
  const model = createModel(s.model, {
    ...s.modelOptions,
    img_size: s.imgSize ?? s.modelOptions.img_size,
    in_chans: s.inChans ?? s.modelOptions.in_chans,
    drop_rate: s.drop ?? s.modelOptions.drop_rate,
    drop_path_rate: s.dropPath ?? s.modelOptions.drop_path_rate,
    num_classes: s.numClasses ?? classes,
  });
  channelsOf({ name: s.model, inputShape: model.inputShape });
  return model;
}

interface Data {
  train: ImageDataset;
  val: ImageDataset;
}

async function trainIn(
  output: string,
  options: TrainOptions,
  s: TrainSettings,
  model: Model,
  data: Data,
): Promise<TrainResult> {
  const emit = options.onEvent as (event: TrainEvent) => void;
  const warn = (message: string) => emit({ type: "warning", message });
  const better = s.evalMetric === "loss" ? "lower" : "higher";
  const store = createCheckpointStore(output, { history: s.checkpointHist, better, onWarning: warn });
  const resume = await resumeFrom(store, output, options.resume);
  for (const line of resume?.warnings ?? []) warn(line);
  const changed = resume ? checkResumed(resume, model, s, data.train.classes) : [];
  if (changed.length > 0) warn(`the run goes on with other settings: ${changed.join("; ")}`);
  const spec = specOf(model, classNames(data.train.classes, model.numClasses));
  const epoch = (resume?.meta.progress as { epoch: number } | undefined)?.epoch ?? 0;
  await writeConfig(output, describe(options, s, spec));
  emit(startEvent(output, model, data, s.epochs, epoch));
  const summary = await SummaryFile.open(output, s.modelEmaDecay !== undefined, epoch);
  const loaders = createLoaders(s, model, data);
  const backend = await createEngine({ device: s.device, threads: s.threads });
  try {
    const { weights: _, ...result } = await fit({
      model,
      backend,
      weights: initialize(model, s.seed),
      step: stepOptions(s, Math.min(s.batchSize, data.train.samples.length)),
      epochs: s.epochs,
      schedule: scheduleOf(s, loaders.train.batchesPerEpoch),
      ...loaders,
      metric: s.evalMetric,
      resume,
      save: (state) => store.save(state),
      meta: { spec, settings: s },
      onEvent: (event) => {
        if (event.type === "epoch") summary.add(event.summary);
        emit(event);
      },
      signal: options.signal,
    });
    await summary.written();
    const skipped = new Map([...loaders.train.skipped, ...(loaders.val?.skipped ?? [])]);
    return { ...result, output, skipped, onnx: result.interrupted ? undefined : await exportBest(store, output) };
  } finally {
    await Promise.all([loaders.train.close(), loaders.val?.close(), backend.dispose()]);
  }
}

const startEvent = (output: string, model: Model, { train, val }: Data, epochs: number, epoch: number): TrainEvent => ({
  type: "start",
  output,
  model: model.name,
  parameters: countParameters(model),
  images: train.samples.length,
  valImages: val.samples.length,
  classes: train.classes.length,
  epochs,
  epoch,
});

/** Names for all of the model's classes; those beyond the data's are numbers. */
const classNames = (classes: readonly string[], count: number): string[] =>
  Array.from({ length: count }, (_, i) => classes[i] ?? String(i));

async function resumeFrom(
  store: CheckpointStore,
  output: string,
  resume?: string,
): Promise<LoadedCheckpoint | undefined> {
  if (resume !== undefined && resume !== "auto") return loadCheckpoint(resume);
  if (resume === "auto") return store.latest();
  if ((await store.list()).length > 0)
    throw new TesseraeError("usage", "holds a run already", {
      where: output,
      hint: "Go on with --resume auto, or choose another --output",
    });
  return undefined;
}

function createLoaders(s: TrainSettings, model: Model, { train, val }: Data): { train: Loader; val?: Loader } {
  const [, height, width] = model.inputShape;
  const shared = {
    batchSize: Math.min(s.batchSize, train.samples.length),
    inChans: model.inputShape[0],
    seed: s.seed,
    workers: s.workers,
    strict: s.strict,
  };
  const training = trainTransform({
    size: [height, width],
    crop: s.crop,
    padding: s.cropPadding,
    scale: [...s.scale],
    ratio: [...s.ratio],
    hflip: s.hflip,
    interpolation: s.trainInterpolation,
  });
  const { crop_pct, interpolation } = model.preprocessing;
  const evaluation = evalTransform({ size: [height, width], cropPct: crop_pct, interpolation });
  return {
    train: createLoader({ ...shared, dataset: train, transform: training, shuffle: true, dropLast: true }),
    val:
      val.samples.length === 0
        ? undefined
        : createLoader({ ...shared, dataset: val, transform: evaluation, shuffle: false, dropLast: false }),
  };
}

const stepOptions = (s: TrainSettings, batch: number) => ({
  batch,
  optimizer: createOptimizer(s.opt, { momentum: s.momentum, betas: s.optBetas }),
  weightDecay: s.weightDecay,
  clipGrad: s.clipGrad || undefined,
  smoothing: s.smoothing,
  emaDecay: s.modelEmaDecay,
  seed: s.seed,
});

function scheduleOf(s: TrainSettings, batchesPerEpoch: number) {
  const warmup = s.warmupEpochs ?? Math.min(5, s.epochs / 10);
  const { lr, warmupLr, minLr } = s;
  return schedule(s.sched, {
    lr,
    steps: s.epochs * batchesPerEpoch,
    warmupSteps: Math.round(warmup * batchesPerEpoch),
    warmupLr,
    minLr,
  });
}

/** What config.json holds. */
const describe = ({ data, output }: TrainOptions, settings: TrainSettings, spec: object) => ({
  data,
  output,
  settings,
  spec,
  versions: { node: process.versions.node, onnxruntime: runtimeVersion() },
  command: process.argv.slice(2),
});

async function exportBest(store: CheckpointStore, output: string): Promise<string | undefined> {
  const checkpoint = (await store.best()) ?? (await store.latest());
  if (!checkpoint) return undefined;
  const file = join(output, MODEL_FILE);
  await exportFile(fromCheckpoint(checkpoint), file);
  return file;
}
