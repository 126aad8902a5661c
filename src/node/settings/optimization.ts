import { type RateScale, SCALES } from "../../optim/base-rate.ts";
import { CLIP_MODES, type ClipMode } from "../../optim/clip.ts";
import { optimizerNames } from "../../optim/index.ts";
import { scheduleNames } from "../../optim/schedule.ts";
import { above, atLeast, oneOf, part, setting, wholeFrom } from "./setting.ts";

/** Of a run that names neither --lr nor --lr-base. */
export const DEFAULT_LR = 5e-4;

export const optimization = {
  epochs: setting<number>({
    flag: "--epochs <n>",
    kind: "count",
    default: 100,
    help: "times through the data",
    must: wholeFrom(1),
  }),
  batchSize: setting<number>({
    flag: "-b, --batch-size <n>",
    kind: "count",
    default: 32,
    help: "images of a batch",
    must: wholeFrom(1),
  }),
  gradAccumSteps: setting<number>({
    flag: "--grad-accum-steps <n>",
    kind: "count",
    default: 1,
    help: "batches whose gradients make one update: the result of a batch n times as large, in a part of its memory",
    must: wholeFrom(1),
  }),
  gradCheckpointing: setting<boolean>({
    flag: "--grad-checkpointing",
    kind: "switch",
    default: false,
    help: "compute activations a second time instead of keeping them all: less memory, a third more time",
  }),
  lr: setting<number | undefined>({
    flag: "--lr <rate>",
    kind: "number",
    default: undefined,
    help: `peak learning rate (default: ${DEFAULT_LR})`,
    must: above(0),
  }),
  lrBase: setting<number | undefined>({
    flag: "--lr-base <rate>",
    kind: "number",
    default: undefined,
    help: "instead of --lr: the peak rate of a batch of --lr-base-size, scaled to the images of one update",
    must: above(0),
  }),
  lrBaseSize: setting<number>({
    flag: "--lr-base-size <n>",
    kind: "count",
    default: 256,
    help: "images that --lr-base is for",
    must: wholeFrom(1),
  }),
  lrBaseScale: setting<RateScale | undefined>({
    flag: "--lr-base-scale <name>",
    kind: SCALES,
    default: undefined,
    help: "how --lr-base grows with the batch (default: sqrt for Adam's kin and LAMB, else linear)",
  }),
  opt: setting<string>({
    flag: "--opt <name>",
    kind: "text",
    default: "adamw",
    help: `optimizer: ${optimizerNames.join(", ")} (sgd is Nesterov's, momentum is not)`,
    must: oneOf(optimizerNames),
  }),
  momentum: setting<number>({
    flag: "--momentum <value>",
    kind: "number",
    default: 0.9,
    help: "of sgd, momentum, muon and nmuon",
    must: part,
  }),
  optEps: setting<number | undefined>({
    flag: "--opt-eps <value>",
    kind: "number",
    default: undefined,
    help: "the optimizer's epsilon (default: 1e-8; of lamb 1e-6, of muon and nmuon 1e-7)",
    must: above(0),
  }),
  optBetas: setting<readonly [number, number] | undefined>({
    flag: "--opt-betas <a b>",
    kind: "pair",
    default: undefined,
    help: "the optimizer's betas (default: 0.9 0.999; of lion 0.9 0.99, of muon's AdamW 0.9 0.95)",
    must: { be: "two numbers in [0, 1)", ok: (betas) => betas.every(part.ok) },
  }),
  weightDecay: setting<number>({
    flag: "--weight-decay <value>",
    kind: "number",
    default: 0.05,
    help: "decoupled but for sgd, momentum, adam and lamb; none for norms, biases, tokens and position tables",
    must: atLeast(0),
  }),
  layerDecay: setting<number>({
    flag: "--layer-decay <factor>",
    kind: "number",
    default: 1,
    help: "each layer's rate is this times the rate of the layer above it",
    must: { be: "in (0, 1]", ok: (v) => v > 0 && v <= 1 },
  }),
  sched: setting<string>({
    flag: "--sched <name>",
    kind: "text",
    default: "cosine",
    help: `schedule of the rate: ${scheduleNames.join(", ")}`,
    must: oneOf(scheduleNames),
  }),
  schedOnEpochs: setting<boolean>({
    flag: "--sched-on-epochs",
    kind: "switch",
    default: false,
    help: "the rate moves between epochs, as timm's does without --sched-on-updates, not with every update",
  }),
  warmupEpochs: setting<number | undefined>({
    flag: "--warmup-epochs <n>",
    kind: "number",
    default: undefined,
    help: "linear warm-up (default: a tenth of the epochs, at most 5; of onecycle three tenths)",
    must: atLeast(0),
  }),
  warmupPrefix: setting<boolean>({
    flag: "--warmup-prefix",
    kind: "switch",
    default: false,
    help: "the warm-up comes before --epochs instead of being their beginning",
  }),
  warmupLr: setting<number | undefined>({
    flag: "--warmup-lr <rate>",
    kind: "number",
    default: undefined,
    help: "where warm-up starts (default: 1e-6; of onecycle a 25th of the peak)",
    must: atLeast(0),
  }),
  minLr: setting<number | undefined>({
    flag: "--min-lr <rate>",
    kind: "number",
    default: undefined,
    help: "where the schedule ends (default: 1e-5; of onecycle 4e-6 of the peak)",
    must: atLeast(0),
  }),
  cooldownEpochs: setting<number>({
    flag: "--cooldown-epochs <n>",
    kind: "whole",
    default: 0,
    help: "epochs at --min-lr after --epochs",
    must: wholeFrom(0),
  }),
  decayEpochs: setting<number>({
    flag: "--decay-epochs <n>",
    kind: "number",
    default: 90,
    help: "epochs between two decays of --sched step",
    must: above(0),
  }),
  decayMilestones: setting<readonly number[]>({
    flag: "--decay-milestones <n...>",
    kind: "list",
    default: [90, 180, 270],
    help: "epochs of --sched multistep; its n-th epoch is the first with the lower rate",
    must: {
      be: "whole numbers above 0, growing",
      ok: (list) => list.every((v, i) => Number.isSafeInteger(v) && v > (list[i - 1] ?? 0)),
    },
  }),
  decayRate: setting<number>({
    flag: "--decay-rate <value>",
    kind: "number",
    default: 0.1,
    help: "factor of --sched step and multistep, exponent of poly",
    must: above(0),
  }),
  lrKDecay: setting<number>({
    flag: "--lr-k-decay <value>",
    kind: "number",
    default: 1,
    help: "exponent on the progress of --sched cosine and poly",
    must: above(0),
  }),
  clipGrad: setting<number>({
    flag: "--clip-grad <value>",
    kind: "number",
    default: 1,
    off: { value: 0 },
    help: "largest gradient norm, or what --clip-mode says, or off",
    must: atLeast(0),
  }),
  clipMode: setting<ClipMode>({
    flag: "--clip-mode <mode>",
    kind: CLIP_MODES,
    default: "norm",
    help: "what --clip-grad bounds: the whole gradient's norm, each value, or each unit's part of its weights (agc)",
  }),
};
