import type { Interpolation } from "../data/transform.ts";
import { TesseraeError } from "../errors.ts";
import type { ModelOptions } from "../models/index.ts";
import { scheduleNames } from "../optim/schedule.ts";
import type { FitEvent } from "../train/fit.ts";
import type { Device } from "./ort.ts";

/** Settings of a training run. Names and meanings are timm's train.py's, in camelCase. */
export interface TrainSettings {
  /** Name of the model. */
  model: string;
  /** Options of the model beside those below: embed_dim, depth, global_pool... */
  modelOptions: ModelOptions;
  imgSize?: number;
  inChans?: 1 | 3;
  /** Default: the classes of the data. */
  numClasses?: number;
  drop?: number;
  dropPath?: number;
  epochs: number;
  batchSize: number;
  /** Peak learning rate. */
  lr: number;
  opt: string;
  momentum: number;
  /** AdamW's β₁ and β₂; default 0.9 and 0.999. */
  optBetas?: readonly [number, number];
  weightDecay: number;
  sched: string;
  /** Default: a tenth of the epochs, at most 5. */
  warmupEpochs?: number;
  warmupLr: number;
  minLr: number;
  /** Largest gradient norm; 0: no clipping. */
  clipGrad: number;
  smoothing: number;
  /** Decay of the averaged weights; absent: none are kept. */
  modelEmaDecay?: number;
  /** Random resized crop ("rrc"), or padding and a random crop ("pad") as for CIFAR. */
  crop: "rrc" | "pad";
  /** Pixels of padding on every side, for "pad". */
  cropPadding: number;
  scale: readonly [number, number];
  ratio: readonly [number, number];
  hflip: number;
  trainInterpolation: Interpolation;
  seed: number;
  /** Part of each class held out, where the data has no val folder. */
  valFraction: number;
  /** Data workers. */
  workers: number;
  device: Device;
  /** Threads of the engine; default: all processors. */
  threads?: number;
  checkpointHist: number;
  evalMetric: "top1" | "top5" | "loss";
  /** A file that cannot be read is an error instead of being skipped and named. */
  strict: boolean;
}

export interface TrainOptions extends Partial<TrainSettings> {
  /** An image folder: DATA/train/CLASS/*, DATA/val/CLASS/*, or one folder of classes. */
  data: string;
  /** The run folder; default runs/<time>-<model>. */
  output?: string;
  /** "auto": go on with what the output holds, else start. A path: go on from that checkpoint. */
  resume?: string;
  onEvent?: (event: TrainEvent) => void;
  signal?: AbortSignal;
}

export type TrainEvent =
  | FitEvent
  | {
      type: "start";
      output: string;
      model: string;
      parameters: number;
      images: number;
      valImages: number;
      classes: number;
      epochs: number;
      epoch: number;
    }
  | { type: "warning"; message: string };

export const DEFAULTS: TrainSettings = {
  model: "vit_tiny_patch16_224",
  modelOptions: {},
  epochs: 100,
  batchSize: 32,
  lr: 5e-4,
  opt: "adamw",
  momentum: 0.9,
  weightDecay: 0.05,
  sched: "cosine",
  warmupLr: 1e-6,
  minLr: 1e-5,
  clipGrad: 1,
  smoothing: 0.1,
  crop: "rrc",
  cropPadding: 4,
  scale: [0.08, 1],
  ratio: [3 / 4, 4 / 3],
  hflip: 0.5,
  trainInterpolation: "random",
  seed: 42,
  valFraction: 0.2,
  workers: 1,
  device: "cpu",
  checkpointHist: 2,
  evalMetric: "top1",
  strict: false,
};

/** Fills in defaults and refuses what makes no sense, before any work. Throws TesseraeError("usage"). */
export function settle(given: Partial<TrainSettings>): TrainSettings {
  const known = Object.entries(given).filter(([key, v]) => v !== undefined && (key in DEFAULTS || OPTIONAL.has(key)));
  const s: TrainSettings = { ...DEFAULTS, ...Object.fromEntries(known) };
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  const need = (ok: boolean, what: string, hint?: string): void => {
    if (!ok) throw usage(what, hint);
  };
  const whole = (v: number, least: number): boolean => Number.isInteger(v) && v >= least;
  need(whole(s.epochs, 1), `epochs must be a whole number of at least 1, not ${s.epochs}`);
  need(whole(s.batchSize, 1), `the batch size must be a whole number of at least 1, not ${s.batchSize}`);
  need(whole(s.workers, 0), `workers must be a whole number of at least 0, not ${s.workers}`);
  need(
    s.threads === undefined || whole(s.threads, 1),
    `threads must be a whole number of at least 1, not ${s.threads}`,
  );
  need(whole(s.checkpointHist, 1), `checkpoint history must be at least 1, not ${s.checkpointHist}`);
  need(Number.isInteger(s.seed), `the seed must be a whole number, not ${s.seed}`);
  need(s.lr > 0 && Number.isFinite(s.lr), `the learning rate must be above 0, not ${s.lr}`);
  need(
    scheduleNames.includes(s.sched),
    `unknown schedule ${JSON.stringify(s.sched)}`,
    `Known: ${scheduleNames.join(", ")}`,
  );
  need(s.warmupLr >= 0 && Number.isFinite(s.warmupLr), `the warm-up rate must be at least 0, not ${s.warmupLr}`);
  need(
    s.minLr >= 0 && s.minLr <= s.lr,
    `the lowest rate ${s.minLr} must lie between 0 and the peak ${s.lr}`,
    "Set --min-lr",
  );
  need(s.weightDecay >= 0, `weight decay must be at least 0, not ${s.weightDecay}`);
  need(s.smoothing >= 0 && s.smoothing < 1, `label smoothing must lie in [0, 1), not ${s.smoothing}`);
  need(s.clipGrad >= 0, `the gradient's norm can be clipped to a value above 0 only, not ${s.clipGrad}`);
  need(
    s.modelEmaDecay === undefined || (s.modelEmaDecay > 0 && s.modelEmaDecay < 1),
    `the averages' decay must lie in (0, 1), not ${s.modelEmaDecay}`,
  );
  need(
    s.warmupEpochs === undefined || (s.warmupEpochs >= 0 && s.warmupEpochs < s.epochs),
    `${s.warmupEpochs} warm-up epochs leave nothing of ${s.epochs}`,
  );
  need(!s.optBetas || s.optBetas.every((b) => b >= 0 && b < 1), `AdamW's betas must lie in [0, 1), not ${s.optBetas}`);
  need(whole(s.cropPadding, 0), `the padding must be a whole number of pixels, not ${s.cropPadding}`);
  need(s.momentum >= 0 && s.momentum < 1, `momentum must lie in [0, 1), not ${s.momentum}`);
  need(s.valFraction >= 0 && s.valFraction < 1, `the held-out part must lie in [0, 1), not ${s.valFraction}`);
  need(
    s.inChans === undefined || s.inChans === 1 || s.inChans === 3,
    `images have 3 channels, or 1 for grey, not ${s.inChans}`,
  );
  return s;
}

const OPTIONAL = new Set([
  "imgSize",
  "inChans",
  "numClasses",
  "drop",
  "dropPath",
  "warmupEpochs",
  "modelEmaDecay",
  "optBetas",
  "threads",
]);
