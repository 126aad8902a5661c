import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "../nn/activation.ts";
import { adaptiveAvgPool } from "../nn/adaptive-pool.ts";
import { type ConvOptions, conv2d } from "../nn/conv.ts";
import { dropout } from "../nn/drop.ts";
import { classifierHead } from "../nn/head.ts";
import { kaimingNormalFanOut, normal, zeros } from "../nn/init.ts";
import { fn, module } from "../nn/module.ts";
import { batchNorm } from "../nn/norm.ts";
import { act, type Layer } from "../nn/sequential.ts";
import { pair } from "../nn/size.ts";
import {
  type CommonOptions,
  type FeatureInfo,
  family,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Network,
  network,
} from "./model.ts";
import { checkPerStage } from "./stages.ts";

export interface VggOptions extends CommonOptions {
  /** 3x3 convolutions before each of the five poolings, and their width (table 1). */
  layers: readonly number[];
  channels: readonly number[];
  batch_norm: boolean;
  /** Width between the two hidden layers of the classifier, over 4096. */
  mlp_ratio: number;
  act_layer: Activation;
}

const HIDDEN = 4096;

/** The side of the maps that the classifier was trained on. */
const SIDE = 7;

const conv = (inChans: number, out: number, kernel: number, options: ConvOptions = {}) =>
  conv2d(inChans, out, kernel, { weightInit: kaimingNormalFanOut(), biasInit: zeros, ...options });

/** Convolutions and poolings in one list, as torchvision numbers them, and where each resolution ends. */
function trunk(o: VggOptions) {
  const layers: Layer[] = [];
  const info: (FeatureInfo & { end: number })[] = [];
  let [inChans, reduction] = [o.in_chans, 1];
  const mark = () => {
    const end = layers.length - 1;
    info.push({ num_chs: inChans, reduction, module: `features.${end}`, end });
  };
  o.layers.forEach((depth, s) => {
    for (let i = 0; i < depth; i++) {
      layers.push(conv(inChans, o.channels[s], 3));
      if (o.batch_norm) layers.push(batchNorm(o.channels[s]));
      layers.push(act(o.act_layer));
      inChans = o.channels[s];
    }
    mark();
    layers.push(fn((x: Tensor) => x.maxPool({ kernel_shape: [2, 2], strides: [2, 2] })));
    reduction *= 2;
  });
  mark();
  return { layers, info, width: inChans };
}

/**
 * The two hidden layers of the classifier as convolutions of 7x7 and 1x1 (section 3.2), [N, C, H, W] to
 * [N, 4096, H - 6, W - 6], so that larger images give more than one answer, to be pooled. Smaller maps are stretched.
 */
function hiddenLayers(o: VggOptions, width: number) {
  const mid = Math.floor(HIDDEN * o.mlp_ratio);
  const f = activation(o.act_layer);
  return module(
    {
      fc1: conv(width, mid, SIDE, { padding: 0 }),
      drop: dropout(o.drop_rate),
      fc2: conv(mid, HIDDEN, 1),
    },
    (m, x: Tensor) => {
      const maps = adaptiveAvgPool(x, [Math.max(SIDE, x.shape[2]), Math.max(SIDE, x.shape[3])]);
      return f(m.fc2(m.drop(f(m.fc1(maps)))));
    },
  );
}

/** VGG: "Very Deep Convolutional Networks for Large-Scale Image Recognition" (Simonyan and Zisserman 2015, table 1). */
export function vgg(o: VggOptions): Network {
  check(o);
  const { layers, info, width } = trunk(o);
  return network(
    {
      features: layers,
      pre_logits: hiddenLayers(o, width),
      head: classifierHead(HIDDEN, o.num_classes, {
        pool: o.global_pool,
        drop: o.drop_rate,
        weightInit: normal(0.01),
        biasInit: zeros,
      }),
    },
    {
      features: (m, x) => m.features.reduce((y, layer) => layer(y), x),
      head: (m, x) => m.head(m.pre_logits(x)),
      pyramid: (m, x) => {
        const outputs = m.features.map((layer) => {
          x = layer(x);
          return x;
        });
        return info.map(({ end }) => outputs[end]);
      },
      featureInfo: info.map(({ end: _, ...rest }) => rest),
    },
  );
}

function check(o: VggOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  checkPerStage({ layers: o.layers, channels: o.channels }, 5);
  const image = pair(o.img_size);
  if (Math.min(...image) < 32)
    throw usage(
      `image size ${image.join("x")} does not last for five poolings`,
      `The nearest that fits is ${image.map((s) => Math.max(s, 32)).join("x")}`,
    );
  if (!(o.mlp_ratio * HIDDEN >= 1)) throw usage(`mlp_ratio is positive, not ${o.mlp_ratio}`);
  if (o.drop_path_rate > 0) throw usage("a VGG has no drop path", "Leave drop_path_rate at 0");
}

const A = { layers: [1, 1, 2, 2, 2] };
const B = { layers: [2, 2, 2, 2, 2] };
const D = { layers: [2, 2, 3, 3, 3] };
const E = { layers: [2, 2, 4, 4, 4] };
const bn = { batch_norm: true };

export default family<VggOptions>({
  paper: "Simonyan and Zisserman 2015, Very Deep Convolutional Networks, arXiv:1409.1556",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    ...D,
    channels: [64, 128, 256, 512, 512],
    batch_norm: false,
    mlp_ratio: 1,
    act_layer: "relu",
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bilinear", crop_pct: 0.875 },
  build: vgg,
  variants: {
    vgg11: A,
    vgg11_bn: { ...A, ...bn },
    vgg13: B,
    vgg13_bn: { ...B, ...bn },
    vgg16: D,
    vgg16_bn: { ...D, ...bn },
    vgg19: E,
    vgg19_bn: { ...E, ...bn },
  },
});
