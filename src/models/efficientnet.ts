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

type Block = (kernel: number, stride: number, expand: number, channels: number, repeats: number) => Row[];

const rows =
  (block: Row["block"], more: Pick<Row, "se" | "skip">): Block =>
  (kernel, stride, expand, channels, repeats) => [{ block, kernel, stride, expand, channels, repeats, ...more }];

// ---- EfficientNet (Tan and Le 2019, table 1), scaled by compound coefficients (section 3.3)

export interface EfficientNetOptions extends MobileOptions {
  /** Squeeze-and-excitation's share of a block's input channels; 0 in the lite variants. */
  se_ratio: number;
  /** Stem, head, first and last stage are not scaled (lite). */
  fix_stem_head: boolean;
}

function v1(o: EfficientNetOptions): Architecture {
  const separable = rows("separable", { se: o.se_ratio });
  const mbconv = rows("mbconv", { se: o.se_ratio });
  return {
    stages: [
      separable(3, 1, 1, 16, 1),
      mbconv(3, 2, 6, 24, 2),
      mbconv(5, 2, 6, 40, 2),
      mbconv(3, 2, 6, 80, 3),
      mbconv(5, 1, 6, 112, 3),
      mbconv(5, 2, 6, 192, 4),
      mbconv(3, 1, 6, 320, 1),
    ],
    stem: 32,
    fixStem: o.fix_stem_head,
    fixFirstLast: o.fix_stem_head,
    head: o.fix_stem_head ? 1280 : scaleChannels(o, 1280),
  };
}

// ---- EfficientNetV2 (Tan and Le 2021, table 4): plain and fused convolutions first, MBConv behind

export interface EfficientNetV2Options extends MobileOptions {
  /** s is table 4's; rw is timm's reading of the paper before its code was public. */
  arch: "base" | "s" | "rw" | "m" | "l" | "xl";
}

const conv = rows("conv", { se: 0, skip: true });
const fused = rows("fused", { se: 0 });
const mbconv = rows("mbconv", { se: 0.25 });

type Plan = Pick<Architecture, "stages" | "stem" | "limit">;

const s = (first: Row[], last: number): Plan => ({
  stages: [
    first,
    fused(3, 2, 4, 48, 4),
    fused(3, 2, 4, 64, 4),
    mbconv(3, 2, 4, 128, 6),
    mbconv(3, 1, 6, 160, 9),
    mbconv(3, 2, 6, last, 15),
  ],
  stem: 24,
});

const V2: Record<EfficientNetV2Options["arch"], Plan> = {
  base: {
    stages: [
      conv(3, 1, 1, 16, 1),
      fused(3, 2, 4, 32, 2),
      fused(3, 2, 4, 48, 2),
      mbconv(3, 2, 4, 96, 3),
      mbconv(3, 1, 6, 112, 5),
      mbconv(3, 2, 6, 192, 8),
    ],
    stem: 32,
    limit: 0,
  },
  s: s(conv(3, 1, 1, 24, 2), 256),
  rw: s(fused(3, 1, 1, 24, 2), 272),
  m: {
    stages: [
      conv(3, 1, 1, 24, 3),
      fused(3, 2, 4, 48, 5),
      fused(3, 2, 4, 80, 5),
      mbconv(3, 2, 4, 160, 7),
      mbconv(3, 1, 6, 176, 14),
      mbconv(3, 2, 6, 304, 18),
      mbconv(3, 1, 6, 512, 5),
    ],
    stem: 24,
  },
  l: {
    stages: [
      conv(3, 1, 1, 32, 4),
      fused(3, 2, 4, 64, 7),
      fused(3, 2, 4, 96, 7),
      mbconv(3, 2, 4, 192, 10),
      mbconv(3, 1, 6, 224, 19),
      mbconv(3, 2, 6, 384, 25),
      mbconv(3, 1, 6, 640, 7),
    ],
    stem: 32,
  },
  xl: {
    stages: [
      conv(3, 1, 1, 32, 4),
      fused(3, 2, 4, 64, 8),
      fused(3, 2, 4, 96, 8),
      mbconv(3, 2, 4, 192, 16),
      mbconv(3, 1, 6, 256, 24),
      mbconv(3, 2, 6, 512, 32),
      mbconv(3, 1, 6, 640, 8),
    ],
    stem: 32,
  },
};

function v2(o: EfficientNetV2Options): Architecture {
  const plan = V2[o.arch];
  const scales = o.arch === "base" || o.arch === "s" || o.arch === "rw";
  const head = o.arch === "rw" ? 1792 : 1280;
  return { ...plan, head: scales ? scaleChannels(o, head, plan.limit) : head };
}

// ---- names

const IMAGENET = { mean: IMAGENET_MEAN, std: IMAGENET_STD };
const half = { mean: HALF, std: HALF };
const preprocessing = { ...IMAGENET, interpolation: "bicubic", crop_pct: 0.875 } as const;

/** Compound scaling: width, depth, resolution, and timm's crop. */
const scaled = (channel_multiplier: number, depth_multiplier: number, img_size: number, crop_pct = 0.875) => ({
  channel_multiplier,
  depth_multiplier,
  img_size,
  preprocessing: { crop_pct },
});

const tf = <O extends { preprocessing?: object }>(spec: O, more: object = {}) => ({
  ...spec,
  ...TENSORFLOW,
  preprocessing: { ...spec.preprocessing, ...more },
});

const B = {
  b0: scaled(1, 1, 224),
  b1: scaled(1, 1.1, 240, 0.882),
  b2: scaled(1.1, 1.2, 260, 0.89),
  b3: scaled(1.2, 1.4, 300, 0.904),
  b4: scaled(1.4, 1.8, 380, 0.922),
  b5: scaled(1.6, 2.2, 456, 0.934),
  b6: scaled(1.8, 2.6, 528, 0.942),
  b7: scaled(2, 3.1, 600, 0.949),
  b8: scaled(2.2, 3.6, 672, 0.954),
};

const LITE = { se_ratio: 0, fix_stem_head: true, act_layer: "relu6" } as const;
const lite: Record<string, VariantSpec<EfficientNetOptions>> = {
  lite0: { ...LITE, ...B.b0 },
  lite1: { ...LITE, ...B.b1 },
  lite2: { ...LITE, ...B.b2 },
  lite3: { ...LITE, ...B.b3 },
  lite4: { ...LITE, ...B.b4 },
};

const efficientNetV1 = family<EfficientNetOptions>({
  paper: "Tan and Le 2019, EfficientNet: Rethinking Model Scaling, arXiv:1905.11946",
  defaults: { ...MOBILE_DEFAULTS, act_layer: "silu", se_ratio: 0.25, fix_stem_head: false },
  preprocessing,
  build: (o) => mobileNetwork(o, v1(o)),
  variants: {
    efficientnet_b0: B.b0,
    efficientnet_b1: { ...scaled(1, 1.1, 240), preprocessing: { ...half, crop_pct: 0.9 } },
    efficientnet_b2: scaled(1.1, 1.2, 256),
    efficientnet_b3: scaled(1.2, 1.4, 288),
    efficientnet_b4: scaled(1.4, 1.8, 320),
    efficientnet_b5: scaled(1.6, 2.2, 448, 1),
    efficientnet_b6: B.b6,
    efficientnet_b7: B.b7,
    efficientnet_b8: B.b8,
    efficientnet_lite0: lite.lite0,
    efficientnet_lite1: lite.lite1,
    efficientnet_lite2: lite.lite2,
    efficientnet_lite3: lite.lite3,
    efficientnet_lite4: lite.lite4,
    tf_efficientnet_b0: tf(B.b0),
    tf_efficientnet_b1: tf(B.b1),
    tf_efficientnet_b2: tf(B.b2),
    tf_efficientnet_b3: tf(B.b3),
    tf_efficientnet_b4: tf(B.b4),
    tf_efficientnet_b5: tf(B.b5),
    tf_efficientnet_b6: tf(B.b6),
    tf_efficientnet_b7: tf(B.b7),
    tf_efficientnet_b8: tf(B.b8, half),
    tf_efficientnet_lite0: tf(lite.lite0, half),
    tf_efficientnet_lite1: tf(lite.lite1, half),
    tf_efficientnet_lite2: tf(lite.lite2, half),
    tf_efficientnet_lite3: tf(lite.lite3, { ...half, interpolation: "bilinear" }),
    tf_efficientnet_lite4: tf(lite.lite4, { ...half, interpolation: "bilinear", crop_pct: 0.92 }),
  },
});

const whole = { preprocessing: { crop_pct: 1 } };

const efficientNetV2 = family<EfficientNetV2Options>({
  paper: "Tan and Le 2021, EfficientNetV2: Smaller Models and Faster Training, arXiv:2104.00298",
  defaults: { ...MOBILE_DEFAULTS, act_layer: "silu", arch: "s" },
  preprocessing,
  build: (o) => mobileNetwork(o, v2(o)),
  variants: {
    efficientnetv2_rw_t: { ...whole, img_size: 224, channel_multiplier: 0.8, depth_multiplier: 0.9 },
    efficientnetv2_rw_s: { ...whole, arch: "rw", img_size: 288 },
    efficientnetv2_rw_m: {
      ...whole,
      arch: "rw",
      img_size: 320,
      channel_multiplier: 1.2,
      depth_multiplier: [1.2, 1.2, 1.2, 1.2, 1.6, 1.6],
    },
    efficientnetv2_s: { ...whole, img_size: 288 },
    efficientnetv2_m: { ...whole, arch: "m", img_size: 320 },
    efficientnetv2_l: { ...whole, arch: "l", img_size: 384 },
    efficientnetv2_xl: { ...whole, arch: "xl", img_size: 384 },
    tf_efficientnetv2_b0: tf({ ...scaled(1, 1, 192), arch: "base" as const }),
    tf_efficientnetv2_b1: tf({ ...scaled(1, 1.1, 192, 0.882), arch: "base" as const }),
    tf_efficientnetv2_b2: tf({ ...scaled(1.1, 1.2, 208, 0.89), arch: "base" as const }),
    tf_efficientnetv2_b3: tf({ ...scaled(1.2, 1.4, 240, 0.9), arch: "base" as const }, half),
    tf_efficientnetv2_s: tf({ ...whole, img_size: 300 }, half),
    tf_efficientnetv2_m: tf({ ...whole, arch: "m" as const, img_size: 384 }, half),
    tf_efficientnetv2_l: tf({ ...whole, arch: "l" as const, img_size: 384 }, half),
    tf_efficientnetv2_xl: tf({ ...whole, arch: "xl" as const, img_size: 384 }, half),
  },
});

const efficientNets: readonly Family[] = [efficientNetV1, efficientNetV2];
export default efficientNets;
