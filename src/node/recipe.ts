import type { Loader } from "../data/loader.ts";
import type { Mixing } from "../data/mixup.ts";
import { TesseraeError } from "../errors.ts";
import type { Model, Preprocessing } from "../models/model.ts";
import { scaledRate } from "../optim/base-rate.ts";
import { createOptimizer } from "../optim/index.ts";
import { type Schedule, schedule, scheduledEpochs } from "../optim/schedule.ts";
import { channelsOf, transformOf } from "../train/predictor.ts";
import type { StepOptions } from "../train/step.ts";
import { createLoader } from "./loader.ts";
import { givenPreprocessing, perChannel } from "./preprocessing.ts";
import type { TrainSettings } from "./settings/index.ts";
import { DEFAULT_LR } from "./settings/optimization.ts";
import type { OpenedData } from "./sources/open-data.ts";
import type { Start } from "./start.ts";
import { trainTransformOf } from "./train-transform.ts";

/** The model that the settings describe. Throws TesseraeError where the data do not fit it. */
export function buildModel(s: TrainSettings, classes: number, start: Start): Model {
  if (s.numClasses !== undefined && s.numClasses < classes)
    throw new TesseraeError("usage", `num-classes ${s.numClasses} is less than the ${classes} classes of the data`);
  const model = start.build(s.model, {
    ...s.modelOptions,
    img_size: s.imgSize ?? s.modelOptions.img_size,
    in_chans: s.inChans ?? s.modelOptions.in_chans,
    drop_rate: s.drop ?? s.modelOptions.drop_rate,
    drop_path_rate: s.dropPath ?? s.modelOptions.drop_path_rate,
    num_classes: s.numClasses ?? classes,
  });
  channelsOf({ name: s.model, inputShape: model.inputShape });
  return { ...model, preprocessing: preprocessingOf(s, model) };
}

/** The model's, as far as the settings say nothing else; it goes with the weights. */
const preprocessingOf = (s: TrainSettings, { preprocessing, inputShape }: Model): Preprocessing => ({
  ...preprocessing,
  ...perChannel(givenPreprocessing(s), inputShape[0]),
  ...(s.permutePixels !== undefined && { permute_pixels: s.permutePixels }),
});

export function createLoaders(
  s: TrainSettings,
  model: Model,
  { train, val }: OpenedData,
): { train: Loader; val?: Loader } {
  const batch = batchOf(s, train);
  const shared = {
    inChans: model.inputShape[0],
    seed: s.seed,
    workers: s.workers,
    strict: s.strict,
    cacheBytes: s.cacheMb * 2 ** 20,
  };
  const order = {
    sampler: s.sampler,
    classWeights: s.classWeight as Readonly<Record<string, number>> | undefined,
    augRepeats: s.augRepeats,
    shuffleBuffer: s.shuffleBuffer,
  };
  const training = trainTransformOf(s, model);
  const evaluation = transformOf(model);
  return {
    train: createLoader({
      ...shared,
      ...order,
      batchSize: batch * s.gradAccumSteps,
      dataset: train,
      transform: training,
      shuffle: true,
      dropLast: true,
    }),
    val:
      val.samples.length === 0
        ? undefined
        : createLoader({
            ...shared,
            batchSize: batch,
            dataset: val,
            transform: evaluation,
            shuffle: false,
            dropLast: false,
          }),
  };
}

/** Images of one run of the program: the batch size, or what the data have. */
export const batchOf = ({ batchSize, gradAccumSteps }: TrainSettings, { samples }: OpenedData["train"]): number =>
  Math.max(1, Math.min(batchSize, Math.floor(samples.length / gradAccumSteps)));

export const mixingOf = (s: TrainSettings): Mixing | undefined =>
  s.mixup > 0 || s.cutmix > 0 || s.cutmixMinmax
    ? {
        mixup: s.mixup,
        cutmix: s.cutmixMinmax ? s.cutmix || 1 : s.cutmix,
        cutmixMinmax: s.cutmixMinmax,
        prob: s.mixupProb,
        switchProb: s.mixupSwitchProb,
        mode: s.mixupMode,
        seed: s.seed,
        offEpoch: s.mixupOffEpoch,
      }
    : undefined;

/** The parts of a training step. */
export const stepOptionsOf = (s: TrainSettings, batch: number): StepOptions => ({
  batch,
  accumulate: s.gradAccumSteps,
  checkpointing: s.gradCheckpointing,
  optimizer: createOptimizer(s.opt, { momentum: s.momentum, betas: s.optBetas, epsilon: s.optEps }),
  weightDecay: s.weightDecay,
  layerDecay: s.layerDecay,
  clipGrad: s.clipGrad || undefined,
  clipMode: s.clipMode,
  smoothing: s.smoothing,
  bce: s.bceLoss ? { threshold: s.bceTargetThresh, sum: s.bceSum } : undefined,
  distillation:
    s.teacher === undefined
      ? undefined
      : { type: s.distillationType, alpha: s.distillationAlpha, tau: s.distillationTau },
  emaDecay: s.modelEma,
  emaWarmupPower: s.modelEmaWarmup ? s.modelEmaWarmupPower : undefined,
  seed: s.seed,
});

/** Epochs of warm-up: unless given, a tenth of all, at most 5; of one cycle three tenths. */
const warmupOf = ({ warmupEpochs, sched, epochs }: TrainSettings): number =>
  warmupEpochs ?? (sched === "onecycle" ? 0.3 * epochs : Math.min(5, epochs / 10));

/** Epochs of the whole run. */
export const epochsOf = (s: TrainSettings): number => scheduledEpochs(s.sched, { ...s, warmupEpochs: warmupOf(s) });

/** The peak rate, from --lr, or from --lr-base and the images of one update. */
export function peakRate(
  s: TrainSettings,
  { batch, accumulate = 1 }: Pick<StepOptions, "batch" | "accumulate">,
): number {
  if (s.lrBase === undefined) return s.lr ?? DEFAULT_LR;
  const base = { base: s.lrBase, size: s.lrBaseSize, scale: s.lrBaseScale, optimizer: s.opt };
  return scaledRate(base, batch * accumulate);
}

export function scheduleOf(
  s: TrainSettings,
  step: Pick<StepOptions, "batch" | "accumulate">,
  updatesPerEpoch: number,
): Schedule {
  const cycle = s.sched === "onecycle";
  return schedule(s.sched, {
    lr: peakRate(s, step),
    epochs: s.epochs,
    updatesPerEpoch,
    onEpochs: s.schedOnEpochs,
    warmupEpochs: warmupOf(s),
    warmupLr: s.warmupLr ?? (cycle ? undefined : 1e-6),
    warmupPrefix: s.warmupPrefix,
    minLr: s.minLr ?? (cycle ? undefined : 1e-5),
    decayEpochs: s.decayEpochs,
    decayMilestones: s.decayMilestones,
    decayRate: s.decayRate,
    kDecay: s.lrKDecay,
  });
}
