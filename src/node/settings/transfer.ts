import { atLeast, setting, wholeFrom } from "./setting.ts";

/** How much of a model that others trained is trained on. */
export const transfer = {
  headInit: setting<"random" | "probe">({
    flag: "--head-init <how>",
    kind: ["random", "probe"],
    default: "random",
    help: "how a new classifier of --pretrained begins: at random, or as the linear probe of its features",
  }),
  freeze: setting<readonly string[]>({
    flag: "--freeze <globs>",
    kind: "globs",
    default: [],
    help: "leave parameters of these names as they are ('*': all but the classifier, which always learns); may be repeated",
  }),
  freezeBn: setting<boolean>({
    flag: "--freeze-bn",
    kind: "switch",
    default: false,
    help: "batch norms keep their running statistics, and normalise by them",
  }),
  unfreezeEpochs: setting<number | undefined>({
    flag: "--unfreeze-epochs <n>",
    kind: "count",
    default: undefined,
    help: "what --freeze names begins to learn after n epochs",
    must: wholeFrom(1),
  }),
  unfreezeLayers: setting<number | undefined>({
    flag: "--unfreeze-layers <n>",
    kind: "count",
    default: undefined,
    help: "gradual unfreezing: n more layers, the last first, every --unfreeze-epochs (default: all at once)",
    must: wholeFrom(1),
  }),
  loraRank: setting<number | undefined>({
    flag: "--lora-rank <r>",
    kind: "count",
    default: undefined,
    help: "LoRA: train W + alpha/r B A with the matrix W as it is; merged in what a run gives",
    must: wholeFrom(1),
  }),
  loraAlpha: setting<number | undefined>({
    flag: "--lora-alpha <value>",
    kind: "number",
    default: undefined,
    help: "its alpha (default: twice the rank)",
    must: atLeast(0),
  }),
  loraTargets: setting<readonly string[]>({
    flag: "--lora-targets <globs>",
    kind: "globs",
    default: [],
    help: "weights that get adapters (default: every matrix of attention and MLPs); may be repeated",
  }),
  patience: setting<number | undefined>({
    flag: "--patience <n>",
    kind: "count",
    default: undefined,
    off: { value: undefined },
    help: "end after n epochs in which --eval-metric did not get better, or off (default: off)",
    must: wholeFrom(1),
  }),
};
