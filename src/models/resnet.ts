import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "../nn/activation.ts";
import { type ConvOptions, conv2d } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { kaimingNormalFanOut, ones, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { fn, identity, module, tap } from "../nn/module.ts";
import { batchNorm } from "../nn/norm.ts";
import { act, sequential } from "../nn/sequential.ts";
import {
  type CommonOptions,
  family,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Network,
  network,
  type VariantSpec,
} from "./model.ts";
import { checkPerStage, stageRates } from "./stages.ts";

export interface ResNetOptions extends CommonOptions {
  /** Two 3x3 convolutions, or 1x1, 3x3, 1x1 with four times the width outside (figure 5). */
  block: "basic" | "bottleneck";
  /** Blocks of each of the four stages (table 1). */
  layers: readonly number[];
  /** Width inside the blocks of each stage. */
  channels: readonly number[];
  /** "": one 7x7 convolution; deep: three 3x3 of widths w, w, 2w; deep_tiered: of 3/4 w, w, 2w. */
  stem_type: "" | "deep" | "deep_tiered";
  /** w. */
  stem_width: number;
  /** Shortcuts halve the image by averaging before their 1x1 convolution, which then sees every pixel. */
  avg_down: boolean;
  /** 32, or 16 or 8: the last stages dilate in place of striding. */
  output_stride: number;
  act_layer: Activation;
  /** The last norm of a block starts at zero, so that the block starts as its shortcut. */
  zero_init_last: boolean;
}

const EXPANSION = { basic: 1, bottleneck: 4 };

const conv = (inChans: number, out: number, kernel: number, options: ConvOptions = {}) =>
  conv2d(inChans, out, kernel, { bias: false, weightInit: kaimingNormalFanOut(), ...options });

/** Where a block is. */
interface Place {
  inChans: number;
  /** Width inside. */
  planes: number;
  stride: number;
  /** Of the first 3x3 convolution, and of a second. */
  dilation: readonly [number, number];
  dropPath: number;
}

/** relu(F(x) + shortcut(x)), F two 3x3 convolutions (figure 5, left). */
const basicBlock = (o: ResNetOptions, p: Place) =>
  module(
    {
      conv1: conv(p.inChans, p.planes, 3, { stride: p.stride, dilation: p.dilation[0] }),
      bn1: batchNorm(p.planes),
      conv2: conv(p.planes, p.planes, 3, { dilation: p.dilation[1] }),
      bn2: batchNorm(p.planes, { weightInit: o.zero_init_last ? zeros : ones }),
      downsample: shortcut(o, p),
      drop_path: dropPath(p.dropPath),
    },
    (m, x: Tensor) => {
      const f = activation(o.act_layer);
      const y = m.bn2(m.conv2(f(m.bn1(m.conv1(x)))));
      return f(m.drop_path(y).add(m.downsample(x)));
    },
  );

/** The same with F of 1x1, 3x3, 1x1 (figure 5, right); the stride is in the 3x3, as everyone has it since Torch. */
const bottleneck = (o: ResNetOptions, p: Place) =>
  module(
    {
      conv1: conv(p.inChans, p.planes, 1),
      bn1: batchNorm(p.planes),
      conv2: conv(p.planes, p.planes, 3, { stride: p.stride, dilation: p.dilation[0] }),
      bn2: batchNorm(p.planes),
      conv3: conv(p.planes, 4 * p.planes, 1),
      bn3: batchNorm(4 * p.planes, { weightInit: o.zero_init_last ? zeros : ones }),
      downsample: shortcut(o, p),
      drop_path: dropPath(p.dropPath),
    },
    (m, x: Tensor) => {
      const f = activation(o.act_layer);
      const y = f(m.bn2(m.conv2(f(m.bn1(m.conv1(x))))));
      return f(m.drop_path(m.bn3(m.conv3(y))).add(m.downsample(x)));
    },
  );

/** Identity where the shape stays, else a projection (section 3.3, option B; He, T. et al., figure 2c for avg_down). */
function shortcut(o: ResNetOptions, { inChans, planes, stride, dilation }: Place) {
  const out = EXPANSION[o.block] * planes;
  if (stride === 1 && inChans === out) return identity();
  if (!o.avg_down) return sequential(conv(inChans, out, 1, { stride }), batchNorm(out));
  return sequential(averageDown(stride, dilation[1]), conv(inChans, out, 1), batchNorm(out));
}

/** Means of 2x2 pixels, at every pixel where the stage dilates; windows at odd borders hold fewer pixels. */
const averageDown = (stride: number, dilation: number) =>
  stride === 1 && dilation === 1
    ? identity()
    : fn((x: Tensor) =>
        dilation === 1
          ? x.avgPool({ kernel_shape: [2, 2], strides: [stride, stride], ceil_mode: 1 })
          : x.avgPool({ kernel_shape: [2, 2], pads: [0, 0, 1, 1], count_include_pad: 1 }),
      );

/** [N, in, H, W] to [N, 64, H/2, W/2], before norm and activation. */
function stem(o: ResNetOptions) {
  const w = o.stem_width;
  if (o.stem_type === "") return { width: 64, conv1: conv(o.in_chans, 64, 7, { stride: 2 }) };
  const first = o.stem_type === "deep" ? w : 3 * Math.floor(w / 4);
  const layers = [
    ...[conv(o.in_chans, first, 3, { stride: 2 }), batchNorm(first), act(o.act_layer)],
    ...[conv(first, w, 3), batchNorm(w), act(o.act_layer)],
    conv(w, 2 * w, 3),
  ];
  return { width: 2 * w, conv1: sequential(...layers) };
}

/** Blocks of the four stages, and the stride that each ends at. */
function stages(o: ResNetOptions, width: number) {
  const rates = stageRates(o.drop_path_rate, o.layers);
  let [inChans, reduction, dilation] = [width, 4, 1];
  return o.layers.map((depth, s) => {
    const planes = o.channels[s];
    const before = dilation;
    const step = s === 0 ? 1 : 2;
    const stride = reduction < o.output_stride ? step : 1;
    reduction *= stride;
    dilation *= step / stride;
    const blocks = Array.from({ length: depth }, (_, i) => {
      const place: Place = {
        inChans,
        planes,
        stride: i === 0 ? stride : 1,
        dilation: [i === 0 ? before : dilation, dilation],
        dropPath: rates[s][i],
      };
      inChans = EXPANSION[o.block] * planes;
      return o.block === "basic" ? basicBlock(o, place) : bottleneck(o, place);
    });
    return { blocks, info: { num_chs: inChans, reduction, module: `layer${s + 1}` } };
  });
}

/**
 * ResNet: "Deep Residual Learning for Image Recognition" (He, K. et al. 2016, table 1), stride in the 3x3 convolution;
 * the d variants' stem and shortcuts from "Bag of Tricks" (He, T. et al. 2019, figure 2).
 */
export function resNet(o: ResNetOptions): Network {
  check(o);
  const { width, conv1 } = stem(o);
  const [layer1, layer2, layer3, layer4] = stages(o, width);
  const features = layer4.info.num_chs;
  const start = (m: { conv1: (x: Tensor) => Tensor; bn1: (x: Tensor) => Tensor }, x: Tensor) =>
    activation(o.act_layer)(m.bn1(m.conv1(x)));
  const pool = (x: Tensor) => x.maxPool({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  const run = (name: string, blocks: readonly ((x: Tensor) => Tensor)[], x: Tensor) =>
    blocks.reduce((y, block, i) => tap(`${name}.${i}.out`, block(y)), x);
  return network(
    {
      conv1,
      bn1: batchNorm(width),
      layer1: layer1.blocks,
      layer2: layer2.blocks,
      layer3: layer3.blocks,
      layer4: layer4.blocks,
      global_pool: globalPool(o.global_pool, o.num_classes),
      drop: dropout(o.drop_rate),
      fc: o.num_classes > 0 ? linear(features, o.num_classes) : identity(),
    },
    {
      features: (m, x) => {
        x = run("layer1", m.layer1, pool(start(m, x)));
        x = run("layer2", m.layer2, x);
        x = run("layer3", m.layer3, x);
        return run("layer4", m.layer4, x);
      },
      head: (m, x) => m.fc(m.drop(m.global_pool(x))),
      pyramid: (m, x) => {
        const c1 = start(m, x);
        const c2 = run("layer1", m.layer1, pool(c1));
        const c3 = run("layer2", m.layer2, c2);
        const c4 = run("layer3", m.layer3, c3);
        return [c1, c2, c3, c4, run("layer4", m.layer4, c4)];
      },
      featureInfo: [
        { num_chs: width, reduction: 2, module: "act1" },
        ...[layer1, layer2, layer3, layer4].map((s) => s.info),
      ],
    },
  );
}

function check(o: ResNetOptions): void {
  const usage = (what: string) => new TesseraeError("usage", what);
  checkPerStage({ layers: o.layers, channels: o.channels }, 4);
  if (!Object.hasOwn(EXPANSION, o.block)) throw usage(`block is basic or bottleneck, not ${JSON.stringify(o.block)}`);
  if (!["", "deep", "deep_tiered"].includes(o.stem_type))
    throw usage(`stem_type is deep, deep_tiered or empty, not ${JSON.stringify(o.stem_type)}`);
  if (![8, 16, 32].includes(o.output_stride)) throw usage(`output_stride is 8, 16 or 32, not ${o.output_stride}`);
}

const BASIC = (...layers: number[]) => ({ block: "basic" as const, layers });
const BOTTLENECK = (...layers: number[]) => ({ block: "bottleneck" as const, layers });
const D: VariantSpec<ResNetOptions> = {
  stem_width: 32,
  stem_type: "deep",
  avg_down: true,
  preprocessing: { crop_pct: 0.875 },
};
const at256 = { img_size: 256, preprocessing: { crop_pct: 0.95 } };

export default family<ResNetOptions>({
  paper: "He et al. 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    block: "bottleneck",
    layers: [3, 4, 6, 3],
    channels: [64, 128, 256, 512],
    stem_type: "",
    stem_width: 64,
    avg_down: false,
    output_stride: 32,
    act_layer: "relu",
    zero_init_last: true,
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.95 },
  build: resNet,
  variants: {
    resnet18: BASIC(2, 2, 2, 2),
    resnet18d: { ...BASIC(2, 2, 2, 2), ...D },
    resnet34: BASIC(3, 4, 6, 3),
    resnet34d: { ...BASIC(3, 4, 6, 3), ...D },
    resnet26: { ...BOTTLENECK(2, 2, 2, 2), preprocessing: { crop_pct: 0.875 } },
    resnet26d: { ...BOTTLENECK(2, 2, 2, 2), ...D },
    resnet50: BOTTLENECK(3, 4, 6, 3),
    resnet50d: { ...BOTTLENECK(3, 4, 6, 3), ...D },
    resnet101: BOTTLENECK(3, 4, 23, 3),
    resnet101d: { ...BOTTLENECK(3, 4, 23, 3), ...D, ...at256 },
    resnet152: BOTTLENECK(3, 8, 36, 3),
    resnet152d: { ...BOTTLENECK(3, 8, 36, 3), ...D, ...at256 },
  },
});
