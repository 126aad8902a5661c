import { parseAutoAugment } from "../../data/policy/parse.ts";
import { TesseraeError } from "../../errors.ts";
import { endsLow } from "../../optim/schedule.ts";
import { augmentation } from "./augmentation.ts";
import { data } from "./data.ts";
import { dataset } from "./dataset.ts";
import { model } from "./model.ts";
import { DEFAULT_LR, optimization } from "./optimization.ts";
import { regularization } from "./regularization.ts";
import { run } from "./run.ts";
import { type Setting, setting } from "./setting.ts";
import { transfer } from "./transfer.ts";

/** Settings of a training run by group, in the order of `tesserae train --help`. */
export const GROUPS = {
  Model: model,
  Transfer: transfer,
  Optimization: optimization,
  Regularization: regularization,
  Dataset: dataset,
  Augmentation: augmentation,
  Data: data,
  Run: run,
} as const;

const SETTINGS = {
  ...model,
  ...transfer,
  ...optimization,
  ...regularization,
  ...dataset,
  ...augmentation,
  ...data,
  ...run,
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Settings of a training run, all of them. Names and meanings are those of timm's train.py, in camelCase. */
export type TrainSettings = { -readonly [K in keyof typeof SETTINGS]: ValueOf<(typeof SETTINGS)[K]> };
export type SettingName = keyof TrainSettings;

export const settings: Readonly<Record<SettingName, Setting<unknown>>> = SETTINGS as never;
export const settingNames = Object.keys(SETTINGS) as SettingName[];

export const DEFAULTS = Object.fromEntries(settingNames.map((name) => [name, settings[name].default])) as TrainSettings;

/** Settings that change the weights a run ends with, beside the model's own, which its spec holds. */
export const recipeNames: readonly SettingName[] = settingNames.filter(
  (name) => !settings[name].free && !(name in model && !name.startsWith("modelEma")),
);

/** A setting that means nothing where another is as it is. */
export interface Senseless {
  readonly names: readonly SettingName[];
  /** The setting that makes them so. */
  readonly because: SettingName;
  readonly when: (given: Partial<TrainSettings>) => boolean;
  /** Follows the name of the flag. */
  readonly why: string;
}

/** Settings that say the same thing in two ways. */
export const EITHER: readonly (readonly [SettingName, SettingName])[] = [["lr", "lrBase"]];

const ofSgd = (opt: string): boolean => opt === "sgd" || opt === "momentum";
const isSched =
  (...names: readonly string[]) =>
  ({ sched = DEFAULTS.sched }: Partial<TrainSettings>): boolean =>
    names.includes(sched);

export const SENSELESS: readonly Senseless[] = [
  {
    names: ["unfreezeEpochs"],
    because: "freeze",
    when: ({ freeze = [] }) => freeze.length === 0,
    why: "needs --freeze",
  },
  {
    names: ["unfreezeLayers"],
    because: "unfreezeEpochs",
    when: ({ unfreezeEpochs }) => unfreezeEpochs === undefined,
    why: "needs --unfreeze-epochs",
  },
  {
    names: ["loraAlpha", "loraTargets"],
    because: "loraRank",
    when: ({ loraRank }) => loraRank === undefined,
    why: "needs --lora-rank",
  },
  {
    names: ["freeze", "unfreezeEpochs", "unfreezeLayers"],
    because: "loraRank",
    when: ({ loraRank }) => loraRank !== undefined,
    why: "means nothing with --lora-rank, which trains adapters and the classifier alone",
  },
  {
    names: ["momentum"],
    because: "opt",
    when: ({ opt = DEFAULTS.opt }) => !ofSgd(opt) && !opt.endsWith("muon"),
    why: "is for --opt sgd, momentum, muon or nmuon",
  },
  {
    names: ["optBetas"],
    because: "opt",
    when: ({ opt = DEFAULTS.opt }) => ofSgd(opt),
    why: "means nothing with --opt sgd or momentum",
  },
  {
    names: ["optEps"],
    because: "opt",
    when: ({ opt = DEFAULTS.opt }) => ofSgd(opt) || opt === "lion",
    why: "means nothing with --opt sgd, momentum or lion",
  },
  {
    names: ["lrBaseSize", "lrBaseScale"],
    because: "lr",
    when: ({ lrBase }) => lrBase === undefined,
    why: "needs --lr-base",
  },
  {
    names: ["clipMode"],
    because: "clipGrad",
    when: ({ clipGrad }) => clipGrad === 0,
    why: "means nothing with --clip-grad off",
  },
  {
    names: ["decayEpochs"],
    because: "sched",
    when: (s) => !isSched("step")(s),
    why: "is for --sched step",
  },
  {
    names: ["decayMilestones"],
    because: "sched",
    when: (s) => !isSched("multistep")(s),
    why: "is for --sched multistep",
  },
  {
    names: ["decayRate"],
    because: "sched",
    when: (s) => !isSched("step", "multistep", "poly")(s),
    why: "is for --sched step, multistep or poly",
  },
  {
    names: ["lrKDecay"],
    because: "sched",
    when: (s) => !isSched("cosine", "poly")(s),
    why: "is for --sched cosine or poly",
  },
  {
    names: ["warmupPrefix"],
    because: "sched",
    when: isSched("onecycle"),
    why: "means nothing with --sched onecycle, whose first part the warm-up is",
  },
  {
    names: ["scale", "ratio", "trainInterpolation"],
    because: "crop",
    when: ({ crop }) => crop === "pad",
    why: "is for --crop rrc: --crop pad does not resize",
  },
  {
    names: ["cropPadding"],
    because: "crop",
    when: ({ crop = DEFAULTS.crop }) => crop !== "pad",
    why: "is for --crop pad",
  },
  {
    names: ["colorJitterProb"],
    because: "colorJitter",
    when: ({ colorJitter }) => !colorJitter,
    why: "needs --color-jitter",
  },
  {
    names: ["remode", "recount"],
    because: "reprob",
    when: ({ reprob }) => !reprob,
    why: "needs --reprob",
  },
  {
    names: ["warmupLr", "warmupPrefix"],
    because: "warmupEpochs",
    when: ({ warmupEpochs }) => warmupEpochs === 0,
    why: "means nothing with --warmup-epochs 0",
  },
  {
    names: ["minLr", "cooldownEpochs"],
    because: "sched",
    when: ({ sched = DEFAULTS.sched }) => !endsLow(sched),
    why: "means nothing with --sched constant, step or multistep",
  },
  {
    names: ["modelEmaWarmup", "modelEmaWarmupPower"],
    because: "modelEma",
    when: ({ modelEma }) => modelEma === undefined,
    why: "needs --model-ema",
  },
  {
    names: ["classWeight"],
    because: "sampler",
    when: ({ sampler }) => sampler !== "weighted",
    why: "is for --sampler weighted",
  },
  {
    names: ["valSplit"],
    because: "folds",
    when: ({ folds }) => folds !== undefined,
    why: "means nothing with --folds, which make val from train",
  },
  {
    names: ["mixupProb", "mixupMode", "mixupOffEpoch"],
    because: "mixup",
    when: ({ mixup, cutmix, cutmixMinmax }) => !mixup && !cutmix && !cutmixMinmax,
    why: "needs --mixup or --cutmix",
  },
  {
    names: ["mixupSwitchProb"],
    because: "mixup",
    when: ({ mixup, cutmix, cutmixMinmax }) => !mixup || !(cutmix || cutmixMinmax),
    why: "needs both --mixup and --cutmix",
  },
  {
    names: ["bceTargetThresh", "bceSum"],
    because: "bceLoss",
    when: ({ bceLoss }) => !bceLoss,
    why: "needs --bce-loss",
  },
  {
    names: ["distillationType", "distillationAlpha", "distillationTau"],
    because: "teacher",
    when: ({ teacher }) => teacher === undefined,
    why: "needs --teacher",
  },
  {
    names: ["distillationTau"],
    because: "distillationType",
    when: ({ distillationType = DEFAULTS.distillationType }) => distillationType === "hard",
    why: "is for --distillation-type soft",
  },
];

/** What must hold between settings. */
const RULES: readonly { ok: (s: TrainSettings) => boolean; what: (s: TrainSettings) => string; hint?: string }[] = [
  {
    ok: (s) => !s.amp || s.device !== "cpu",
    what: () =>
      "--amp would not help on cpu: the runtime computes float16 products as slowly as float32's, other operators more slowly, and has no bfloat16",
    hint: "Leave it out; --grad-checkpointing saves memory",
  },
  {
    ok: (s) => !s.amp,
    what: (s) => `--amp is not there for ${s.device}: training programs are float32 throughout`,
    hint: "Leave it out",
  },
  {
    ok: (s) => s.lr === undefined || s.lrBase === undefined,
    what: () => "--lr and --lr-base exclude each other",
  },
  {
    ok: (s) => s.lrBase !== undefined || s.minLr === undefined || s.minLr <= (s.lr ?? DEFAULT_LR),
    what: (s) => `the lowest rate ${s.minLr} must lie between 0 and the peak ${s.lr ?? DEFAULT_LR}`,
    hint: "Set --min-lr",
  },
  {
    ok: (s) => s.headInit === "random" || s.pretrained !== undefined,
    what: () => "--head-init probe needs the features of --pretrained weights",
  },
  {
    ok: (s) => s.warmupPrefix || (s.warmupEpochs ?? 0) < s.epochs,
    what: (s) => `${s.warmupEpochs} warm-up epochs leave nothing of ${s.epochs}`,
  },
  {
    ok: (s) => (s.folds === undefined) === (s.fold === undefined) && (s.fold ?? 0) < (s.folds ?? 1),
    what: (s) => `fold ${s.fold ?? "(none)"} of ${s.folds ?? "no"} folds`,
    hint: "As in --folds 5 --fold 0",
  },
];

/** Fills in defaults and refuses what makes no sense, before any work. Throws TesseraeError("usage"). */
export function settle(given: Partial<TrainSettings>): TrainSettings {
  const values = settingNames.map((name) => [name, given[name] ?? settings[name].default] as const);
  for (const [name, value] of values) checkValue(name, value);
  const s = Object.fromEntries(values) as unknown as TrainSettings;
  if (s.aa !== undefined) parseAutoAugment(s.aa);
  for (const { ok, what, hint } of RULES) if (!ok(s)) throw new TesseraeError("usage", what(s), { hint });
  return s;
}

function checkValue(name: SettingName, value: unknown): void {
  const { must, kind } = settings[name];
  const shown = Array.isArray(value) ? value.join(" ") : JSON.stringify(value);
  const refuse = (be: string) => new TesseraeError("usage", `${spelled(name)} must be ${be}, not ${shown}`);
  if (value === undefined) return;
  if (Array.isArray(kind) && !kind.includes(value)) throw refuse(`one of ${kind.join(", ")}`);
  if (must && !must.ok(value as never)) throw refuse(must.be);
}

/** The long flag of a setting: "--batch-size". */
export const spelled = (name: SettingName): string => longFlag(settings[name].flag);
export const longFlag = (flag: string): string => (/--[\w-]+/.exec(flag) as RegExpExecArray)[0];

export { type Setting, setting };
