import { optimizerNames } from "../../optim/index.ts";
import { scheduleNames } from "../../optim/schedule.ts";
import { above, atLeast, oneOf, part, setting, wholeFrom } from "./setting.ts";

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
  lr: setting<number>({
    flag: "--lr <rate>",
    kind: "number",
    default: 5e-4,
    help: "peak learning rate",
    must: above(0),
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
    help: "of sgd and momentum",
    must: part,
  }),
  optBetas: setting<readonly [number, number] | undefined>({
    flag: "--opt-betas <a b>",
    kind: "pair",
    default: undefined,
    help: "AdamW's betas (default: 0.9 0.999)",
    must: { be: "two numbers in [0, 1)", ok: (betas) => betas.every(part.ok) },
  }),
  weightDecay: setting<number>({
    flag: "--weight-decay <value>",
    kind: "number",
    default: 0.05,
    help: "decoupled for adamw; none for norms, biases, tokens and position tables",
    must: atLeast(0),
  }),
  sched: setting<string>({
    flag: "--sched <name>",
    kind: "text",
    default: "cosine",
    help: `schedule of the rate: ${scheduleNames.join(", ")}`,
    must: oneOf(scheduleNames),
  }),
  warmupEpochs: setting<number | undefined>({
    flag: "--warmup-epochs <n>",
    kind: "number",
    default: undefined,
    help: "linear warm-up (default: a tenth of the epochs, at most 5)",
    must: atLeast(0),
  }),
  warmupLr: setting<number>({
    flag: "--warmup-lr <rate>",
    kind: "number",
    default: 1e-6,
    help: "where warm-up starts",
    must: atLeast(0),
  }),
  minLr: setting<number>({
    flag: "--min-lr <rate>",
    kind: "number",
    default: 1e-5,
    help: "where the schedule ends",
    must: atLeast(0),
  }),
  clipGrad: setting<number>({
    flag: "--clip-grad <norm>",
    kind: "number",
    default: 1,
    off: { value: 0 },
    help: "largest gradient norm, or off",
    must: atLeast(0),
  }),
};
