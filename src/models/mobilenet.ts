import type { Activation } from "../nn/activation.ts";
import {
  type Architecture,
  MOBILE_DEFAULTS,
  type MobileOptions,
  mobileNetwork,
  type Row,
  scaleChannels,
  TENSORFLOW,
} from "./mobile-stages.ts";
import { type Family, family, HALF, IMAGENET_MEAN, IMAGENET_STD, type VariantSpec } from "./model.ts";

export interface MobileNetOptions extends MobileOptions {
  /** Stem, head, first and last stage are not scaled (timm's d variants). */
  fix_stem_head: boolean;
}

// ---- MobileNet (Howard et al. 2017, table 1): depthwise and pointwise, each with norm and ReLU

const v1Row = (channels: number, repeats: number, stride: number): Row[] => [
  { block: "separable", repeats, kernel: 3, stride, expand: 1, channels, se: 0, skip: false, pointAct: true },
];

const v1 = (o: MobileNetOptions): Architecture => ({
  stages: [v1Row(64, 1, 1), v1Row(128, 2, 2), v1Row(256, 2, 2), v1Row(512, 6, 2), v1Row(1024, 2, 2)],
  stem: 32,
  fixStem: o.fix_stem_head,
  fixFirstLast: o.fix_stem_head,
  head: 0,
});

// ---- MobileNetV2 (Sandler et al. 2018, table 2): inverted residuals with linear ends

const v2Row = (expand: number, channels: number, repeats: number, stride: number): Row[] => [
  { block: expand === 1 ? "separable" : "mbconv", repeats, kernel: 3, stride, expand, channels, se: 0 },
];

const v2 = (o: MobileNetOptions): Architecture => ({
  stages: [
    v2Row(1, 16, 1, 1),
    v2Row(6, 24, 2, 2),
    v2Row(6, 32, 3, 2),
    v2Row(6, 64, 4, 2),
    v2Row(6, 96, 3, 1),
    v2Row(6, 160, 3, 2),
    v2Row(6, 320, 1, 1),
  ],
  stem: 32,
  fixStem: o.fix_stem_head,
  fixFirstLast: o.fix_stem_head,
  head: o.fix_stem_head ? 1280 : Math.max(1280, scaleChannels(o, 1280)),
});

// ---- MobileNetV3 (Howard et al. 2019, tables 1 and 2): searched; squeeze-and-excitation, hard swish

export interface MobileNetV3Options extends MobileOptions {
  /** Table 1 or 2; minimal: without squeeze, 5x5 kernels and hard swish. */
  size: "large" | "large_minimal" | "small" | "small_minimal";
}

/** A row of table 1 or 2: kernel, expansion, channels, squeezed?, ReLU?, stride, repeats. */
type V3Row = [kernel: number, expand: number, channels: number, se: boolean, relu: boolean, stride: number, n?: number];

const LARGE: readonly V3Row[][] = [
  [[3, 1, 16, false, true, 1]],
  [
    [3, 4, 24, false, true, 2],
    [3, 3, 24, false, true, 1],
  ],
  [[5, 3, 40, true, true, 2, 3]],
  [
    [3, 6, 80, false, false, 2],
    [3, 2.5, 80, false, false, 1],
    [3, 2.3, 80, false, false, 1, 2],
  ],
  [[3, 6, 112, true, false, 1, 2]],
  [[5, 6, 160, true, false, 2, 3]],
];

const SMALL: readonly V3Row[][] = [
  [[3, 1, 16, true, true, 2]],
  [
    [3, 4.5, 24, false, true, 2],
    [3, 3.67, 24, false, true, 1],
  ],
  [
    [5, 4, 40, true, false, 2],
    [5, 6, 40, true, false, 1, 2],
  ],
  [[5, 3, 48, true, false, 1, 2]],
  [[5, 6, 96, true, false, 2, 3]],
];

function v3(o: MobileNetV3Options): Architecture {
  const small = o.size.startsWith("small");
  const minimal = o.size.endsWith("minimal");
  const row = ([kernel, expand, channels, se, relu, stride, repeats = 1]: V3Row): Row => ({
    block: expand === 1 ? "separable" : "mbconv",
    repeats,
    kernel: minimal ? 3 : kernel,
    stride,
    expand,
    channels,
    se: se && !minimal ? 0.25 : 0,
    act: relu && !minimal ? "relu" : undefined,
  });
  const last: Row = { ...row([1, 1, small ? 576 : 960, false, false, 1]), block: "conv", kernel: 1 };
  return {
    stages: [...(small ? SMALL : LARGE).map((stage) => stage.map(row)), [last]],
    stem: 16,
    fixStem: o.channel_multiplier < 0.75,
    head: small ? 1024 : 1280,
    headAfterPool: true,
    squeeze: { of: "expanded", divisible: true, act: "relu", gate: "hard_sigmoid" },
  };
}

// ---- names

const preprocessing = {
  mean: IMAGENET_MEAN,
  std: IMAGENET_STD,
  interpolation: "bicubic",
  crop_pct: 0.875,
} as const;
const half = { mean: HALF, std: HALF };
const defaults: MobileNetOptions = { ...MOBILE_DEFAULTS, act_layer: "relu6", fix_stem_head: false };
const times = (channel_multiplier: number): VariantSpec<MobileNetOptions> => ({ channel_multiplier });
const deeper = (channel_multiplier: number, depth_multiplier: number): VariantSpec<MobileNetOptions> => ({
  channel_multiplier,
  depth_multiplier,
  fix_stem_head: true,
});

const mobileNetV1 = family<MobileNetOptions>({
  paper: "Howard et al. 2017, MobileNets: Efficient Convolutional Neural Networks, arXiv:1704.04861",
  defaults,
  preprocessing: { ...preprocessing, ...half },
  build: (o) => mobileNetwork(o, v1(o)),
  variants: { mobilenetv1_100: {}, mobilenetv1_125: { ...times(1.25), preprocessing: { crop_pct: 0.9 } } },
});

const mobileNetV2 = family<MobileNetOptions>({
  paper: "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, arXiv:1801.04381",
  defaults,
  preprocessing,
  build: (o) => mobileNetwork(o, v2(o)),
  variants: {
    mobilenetv2_035: times(0.35),
    mobilenetv2_050: times(0.5),
    mobilenetv2_075: times(0.75),
    mobilenetv2_100: {},
    mobilenetv2_140: times(1.4),
    mobilenetv2_110d: deeper(1.1, 1.2),
    mobilenetv2_120d: deeper(1.2, 1.4),
  },
});

const relu: { act_layer: Activation } = { act_layer: "relu" };
const tf = { ...TENSORFLOW, preprocessing: { ...half, interpolation: "bilinear" as const } };

const mobileNetV3 = family<MobileNetV3Options>({
  paper: "Howard et al. 2019, Searching for MobileNetV3, arXiv:1905.02244",
  defaults: { ...MOBILE_DEFAULTS, act_layer: "hard_swish", size: "large" },
  preprocessing,
  build: (o) => mobileNetwork(o, v3(o)),
  variants: {
    mobilenetv3_large_075: { channel_multiplier: 0.75, preprocessing: { interpolation: "bilinear" } },
    mobilenetv3_large_100: {},
    mobilenetv3_large_150d: {
      img_size: 256,
      channel_multiplier: 1.5,
      depth_multiplier: 1.2,
      preprocessing: { ...half, interpolation: "bilinear", crop_pct: 0.95 },
    },
    mobilenetv3_small_050: { size: "small", channel_multiplier: 0.5 },
    mobilenetv3_small_075: { size: "small", channel_multiplier: 0.75 },
    mobilenetv3_small_100: { size: "small" },
    tf_mobilenetv3_large_075: { ...tf, channel_multiplier: 0.75 },
    tf_mobilenetv3_large_100: tf,
    tf_mobilenetv3_large_minimal_100: { ...tf, ...relu, size: "large_minimal" },
    tf_mobilenetv3_small_075: { ...tf, size: "small", channel_multiplier: 0.75 },
    tf_mobilenetv3_small_100: { ...tf, size: "small" },
    tf_mobilenetv3_small_minimal_100: { ...tf, ...relu, size: "small_minimal" },
  },
});

const mobileNets: readonly Family[] = [mobileNetV1, mobileNetV2, mobileNetV3];
export default mobileNets;
