import type { ModelOptions } from "../../models/index.ts";
import { above, inside, part, setting, wholeFrom } from "./setting.ts";

export const model = {
  model: setting<string>({
    flag: "--model <name>",
    kind: "text",
    default: "vit_tiny_patch16_224",
    help: "model; `tesserae models` lists them",
  }),
  pretrained: setting<string | undefined>({
    flag: "--pretrained <path>",
    kind: "text",
    default: undefined,
    help: "begin with these weights: a folder of timm's layout, a .safetensors, .pth, .bin or .npz file, or a run folder",
  }),
  pretrainedStem: setting<string | undefined>({
    flag: "--pretrained-stem <path>",
    kind: "text",
    default: undefined,
    help: "begin a hybrid's ResNet with these weights, the rest anew",
  }),
  imgSize: setting<number | undefined>({
    flag: "--img-size <pixels>",
    kind: "count",
    default: undefined,
    help: "side of the images (default: the model's)",
    must: wholeFrom(1),
  }),
  inChans: setting<1 | 3 | undefined>({
    flag: "--in-chans <n>",
    kind: "count",
    default: undefined,
    help: "channels: 3, or 1 for grey (default: the model's)",
    must: { be: "3, or 1 for grey", ok: (v) => v === 1 || v === 3 },
  }),
  numClasses: setting<number | undefined>({
    flag: "--num-classes <n>",
    kind: "count",
    default: undefined,
    help: "classes (default: the data's)",
    must: wholeFrom(1),
  }),
  drop: setting<number | undefined>({
    flag: "--drop <rate>",
    kind: "number",
    default: undefined,
    help: "dropout before the classifier (default: the model's)",
    must: part,
  }),
  dropPath: setting<number | undefined>({
    flag: "--drop-path <rate>",
    kind: "number",
    default: undefined,
    help: "stochastic depth of the last block, growing linearly from 0 at the first (default: the model's)",
    must: part,
  }),
  modelOptions: setting<ModelOptions>({
    flag: "--model-kwargs <key=value...>",
    kind: "keyValue",
    default: {},
    help: "options of the model, such as patch_size=4 depth=6",
  }),
  modelEma: setting<number | undefined>({
    flag: "--model-ema [decay]",
    kind: "number",
    default: undefined,
    alone: 0.9998,
    off: { value: undefined },
    help: "average the weights with this decay and evaluate the averages too",
    must: inside,
  }),
  modelEmaWarmup: setting<boolean>({
    flag: "--model-ema-warmup",
    kind: "switch",
    default: false,
    help: "the averages' decay grows with the steps t: min(decay, 1 - (1 + t)^(-power))",
  }),
  modelEmaWarmupPower: setting<number>({
    flag: "--model-ema-warmup-power <value>",
    kind: "number",
    default: 2 / 3,
    help: "power of --model-ema-warmup (default: 2/3)",
    must: above(0),
  }),
};
