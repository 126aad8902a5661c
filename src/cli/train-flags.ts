import { type Command, Option } from "commander";
import { TesseraeError } from "../errors.ts";
import { DEFAULTS, type TrainOptions } from "../node/train-options.ts";
import type { ConfigValues } from "./config.ts";
import { count, deviceFlag, keyValue, number, orOff, pairOf, threadsFlag, whole, workersFlag } from "./flags.ts";

/** Flags of `train` by their option names: timm's train.py, where they mean the same. */
export interface TrainFlags
  extends Partial<Omit<TrainOptions, "modelOptions" | "modelEmaDecay" | "onEvent" | "signal">> {
  modelKwargs?: Record<string, unknown>;
  modelEma?: number;
  logInterval?: number;
  config?: string;
  debug?: boolean;
}

const D = DEFAULTS;
const flag = (flags: string, what: string, parse?: (text: string) => unknown): Option => {
  const option = new Option(flags, what);
  return parse ? option.argParser(parse) : option;
};

export const DEFAULT_LOG_INTERVAL = 50;

const GROUPS: Readonly<Record<string, () => Option[]>> = {
  "Model:": () => [
    flag("--model <name>", `model (default: ${D.model}); \`tesserae models\` lists them`),
    flag("--img-size <pixels>", "side of the images (default: the model's)", count),
    flag("--in-chans <n>", "3, or 1 for grey", count),
    flag("--num-classes <n>", "classes (default: the data's)", count),
    flag("--drop <rate>", "dropout before the classifier", number),
    flag("--drop-path <rate>", "stochastic depth", number),
    new Option("--model-kwargs <key=value...>", "options of the model, such as patch_size=4 depth=6").argParser(
      keyValue,
    ),
  ],
  "Optimization:": () => [
    flag("--epochs <n>", `times through the data (default: ${D.epochs})`, count),
    flag("-b, --batch-size <n>", `images of a step (default: ${D.batchSize})`, count),
    flag("--lr <rate>", `peak learning rate (default: ${D.lr})`, number),
    flag("--opt <name>", `adamw, sgd (Nesterov's) or momentum (default: ${D.opt})`),
    flag("--momentum <value>", `of sgd and momentum (default: ${D.momentum})`, number),
    flag("--opt-betas <a b>", "AdamW's betas (default: 0.9 0.999)", pairOf),
    flag("--weight-decay <value>", `decoupled for adamw (default: ${D.weightDecay})`, number),
    flag("--sched <name>", `cosine, linear or constant (default: ${D.sched})`),
    flag("--warmup-epochs <n>", "linear warm-up (default: a tenth of the epochs, at most 5)", number),
    flag("--warmup-lr <rate>", `where warm-up starts (default: ${D.warmupLr})`, number),
    flag("--min-lr <rate>", `where the schedule ends (default: ${D.minLr})`, number),
    flag("--clip-grad <norm>", `largest gradient norm, or off (default: ${D.clipGrad})`, orOff(0)),
    flag("--smoothing <value>", `label smoothing (default: ${D.smoothing})`, number),
    flag(
      "--model-ema <decay>",
      "average the weights with this decay, such as 0.999, and evaluate the averages too",
      orOff(undefined),
    ),
  ],
  "Data:": () => [
    new Option(
      "--crop <kind>",
      `rrc: random resized crop; pad: pad and crop, for small images (default: ${D.crop})`,
    ).choices(["rrc", "pad"]),
    flag("--crop-padding <pixels>", `padding of --crop pad (default: ${D.cropPadding})`, number),
    flag("--scale <a b>", `area of random resized crops (default: ${D.scale.join(" ")})`, pairOf),
    flag("--ratio <a b>", "aspect of random resized crops (default: 0.75 1.333)", pairOf),
    flag("--hflip <p>", `chance of a horizontal flip (default: ${D.hflip})`, number),
    new Option("--train-interpolation <name>", `of training crops (default: ${D.trainInterpolation})`).choices([
      "random",
      "bilinear",
      "bicubic",
    ]),
    flag(
      "--val-fraction <part>",
      `part of each class held out where DATA has no val (default: ${D.valFraction})`,
      number,
    ),
    workersFlag(),
    flag("--strict", "a file that cannot be read is an error instead of being skipped and named"),
  ],
  "Run:": () => [
    flag("--output <dir>", "run folder itself (default: runs/TIME-MODEL)"),
    flag(
      "--resume [auto|path]",
      "auto: go on with what the run folder holds, or start; else a checkpoint's folder",
    ).preset("auto"),
    flag("--seed <n>", `of weights, order and crops (default: ${D.seed})`, whole),
    deviceFlag(),
    threadsFlag(),
    flag(
      "--log-interval <steps>",
      `steps between lines where there is no terminal (default: ${DEFAULT_LOG_INTERVAL})`,
      count,
    ),
    flag("--checkpoint-hist <n>", `newest checkpoints to keep, beside the best (default: ${D.checkpointHist})`, count),
    new Option("--eval-metric <name>", `what decides the best (default: ${D.evalMetric})`).choices([
      "top1",
      "top5",
      "loss",
    ]),
    flag("--config <file>", "defaults of these flags, JSON or YAML (recipes/*.yaml); flags win"),
  ],
};

export function addTrainFlags(command: Command): Command {
  for (const [group, options] of Object.entries(GROUPS)) {
    for (const option of options()) command.addOption(option.helpGroup(group));
  }
  return command;
}

/** Flags that mean nothing where others are as they are. */
const SENSELESS: readonly {
  flags: readonly (keyof TrainFlags)[];
  /** What makes them senseless. */
  because: keyof TrainFlags;
  when: (flags: TrainFlags) => boolean;
  why: string;
}[] = [
  {
    flags: ["momentum"],
    because: "opt",
    when: ({ opt = D.opt }) => opt === "adamw",
    why: "is for --opt sgd or momentum",
  },
  {
    flags: ["optBetas"],
    because: "opt",
    when: ({ opt = D.opt }) => opt !== "adamw",
    why: "is for --opt adamw",
  },
  {
    flags: ["scale", "ratio", "trainInterpolation"],
    because: "crop",
    when: ({ crop }) => crop === "pad",
    why: "is for --crop rrc: --crop pad does not resize",
  },
  {
    flags: ["cropPadding"],
    because: "crop",
    when: ({ crop = D.crop }) => crop !== "pad",
    why: "is for --crop pad",
  },
  {
    flags: ["warmupLr"],
    because: "warmupEpochs",
    when: ({ warmupEpochs }) => warmupEpochs === 0,
    why: "means nothing with --warmup-epochs 0",
  },
  {
    flags: ["minLr"],
    because: "sched",
    when: ({ sched }) => sched === "constant",
    why: "means nothing with --sched constant",
  },
];

/** Model options that have a flag of their own. */
const TWICE: Readonly<Record<string, keyof TrainFlags>> = {
  img_size: "imgSize",
  in_chans: "inChans",
  num_classes: "numClasses",
  drop_rate: "drop",
  drop_path_rate: "dropPath",
};

const spelled = (key: string): string => `--${key.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;

/**
 * The flags over the config file. Flags that contradict each other are refused; a flag given in words beats what
 * the file says, also where that would contradict it. Throws TesseraeError("usage").
 */
export function mergeFlags(flags: TrainFlags, config: ConfigValues): TrainFlags {
  const merged: TrainFlags = { ...config, ...flags };
  if (flags.modelKwargs && config.modelKwargs)
    merged.modelKwargs = { ...(config.modelKwargs as object), ...flags.modelKwargs };
  for (const { flags: names, because, when, why } of SENSELESS) {
    for (const name of names) {
      if (!(name in merged) || !when(merged)) continue;
      if (!(name in flags) && because in flags) delete merged[name];
      else throw new TesseraeError("usage", `${spelled(name)} ${why}`);
    }
  }
  for (const [option, name] of Object.entries(TWICE)) {
    if (merged.modelKwargs?.[option] === undefined || merged[name] === undefined) continue;
    if (name in flags && flags.modelKwargs?.[option] === undefined) {
      delete merged.modelKwargs[option];
    } else
      throw new TesseraeError("usage", `${spelled(name)} and --model-kwargs ${option}=... say the same thing twice`);
  }
  return merged;
}
