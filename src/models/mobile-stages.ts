import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "../nn/activation.ts";
import { dropout } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { uniform, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import {
  type BlockSqueeze,
  convBlock,
  depthwiseSeparable,
  fusedMbconv,
  type MobileBlockOptions,
  makeDivisible,
  mbconv,
  mobileConv,
  roundHalfEven,
} from "../nn/mbconv.ts";
import { identity } from "../nn/module.ts";
import { batchNorm } from "../nn/norm.ts";
import { type Layer, sequential } from "../nn/sequential.ts";
import { type CommonOptions, type FeatureInfo, type Network, network } from "./model.ts";

/** What MobileNets and EfficientNets share: a stem, stages of blocks written as a table, a head. */

/** A row of such a table: equal blocks in sequence, of which the first may stride. */
export interface Row {
  block: "conv" | "separable" | "mbconv" | "fused";
  repeats: number;
  kernel: number;
  stride: number;
  expand: number;
  channels: number;
  /** Squeeze-and-excitation's share of channels; 0: none. */
  se: number;
  /** Instead of the network's. */
  act?: Activation;
  /** Default: wherever the shape stays, but never of plain convolutions. */
  skip?: boolean;
  /** Activation after the pointwise half of a separable convolution too. */
  pointAct?: boolean;
}

/** A stage is a list of rows. */
export type Stages = readonly (readonly Row[])[];

/** Options of these families, under timm's names. */
export interface MobileOptions extends CommonOptions {
  channel_multiplier: number;
  /** Of the repeats, rounded up; one a stage, or one for all. */
  depth_multiplier: number | readonly number[];
  act_layer: Activation;
  /** "same": as TensorFlow pads, which timm's tf_ names do. */
  pad_type: "" | "same";
  bn_eps: number;
  bn_momentum: number;
}

/** What an architecture fixes. */
export interface Architecture {
  stages: Stages;
  /** Channels of the stem, before scaling. */
  stem: number;
  fixStem?: boolean;
  /** First and last stage keep their depth. */
  fixFirstLast?: boolean;
  /** Channels of the 1x1 convolution before the classifier, as they are; 0: none. */
  head: number;
  /** That convolution comes after the pooling, with a bias and without norm (MobileNetV3's efficient last stage). */
  headAfterPool?: boolean;
  /** Rounding of scaled channels: never below this share of the product; default 0.9. */
  limit?: number;
  squeeze?: Omit<BlockSqueeze, "ratio">;
}

/** Channels times the multiplier, to a multiple of 8. */
export const scaleChannels = (o: MobileOptions, channels: number, limit?: number): number =>
  makeDivisible(channels * o.channel_multiplier, 8, limit);

/** Repeats of a stage's rows times the multiplier: the sum is rounded up, and dealt out from the last row on. */
export function scaleDepth(repeats: readonly number[], multiplier: number): number[] {
  let total = repeats.reduce((a, b) => a + b);
  let scaled = Math.ceil(total * multiplier);
  return repeats
    .toReversed()
    .map((r) => {
      const share = Math.max(1, roundHalfEven((r / total) * scaled));
      total -= r;
      scaled -= share;
      return share;
    })
    .toReversed();
}

/** Every block of a stage as a row of its own, of one repeat. */
function unroll(rows: readonly Row[], multiplier: number): Row[] {
  const repeats = scaleDepth(
    rows.map((r) => r.repeats),
    multiplier,
  );
  const all = rows.flatMap((row, i) => Array<Row>(repeats[i]).fill(row));
  return all.map((row, i) => (i === 0 ? row : { ...row, stride: 1 }));
}

function block(row: Row, inChans: number, out: number, a: Architecture, shared: MobileBlockOptions): Layer {
  const options: MobileBlockOptions = {
    ...shared,
    kernel: row.kernel,
    stride: row.stride,
    expand: row.expand,
    act: row.act ?? shared.act,
    se: row.se > 0 ? { ...a.squeeze, ratio: row.se } : undefined,
    skip: row.skip,
  };
  switch (row.block) {
    case "conv":
      return convBlock(inChans, out, { ...options, skip: row.skip ?? false });
    case "separable":
      return depthwiseSeparable(inChans, out, { ...options, pointAct: row.pointAct });
    case "fused":
      return fusedMbconv(inChans, out, options);
    case "mbconv":
      return mbconv(inChans, out, options);
  }
}

/** Blocks of all stages, and the feature maps: the last of each resolution. */
function trunk(o: MobileOptions, a: Architecture, stem: number, shared: MobileBlockOptions) {
  const last = a.stages.length - 1;
  const multiplier = (s: number): number => {
    if (a.fixFirstLast && (s === 0 || s === last)) return 1;
    return typeof o.depth_multiplier === "number" ? o.depth_multiplier : o.depth_multiplier[s];
  };
  const rows = a.stages.map((stage, s) => unroll(stage, multiplier(s)));
  const count = rows.flat().length;
  let [inChans, reduction, index] = [stem, 2, 0];
  const info: (FeatureInfo & { stage: number })[] = [];
  if (rows[0][0].stride > 1) info.push({ num_chs: stem, reduction, module: "bn1", stage: -1 });
  const blocks = rows.map((stage, s) => {
    const made = stage.map((row) => {
      const out = scaleChannels(o, row.channels, a.limit);
      const made = block(row, inChans, out, a, { ...shared, dropPath: (o.drop_path_rate * index++) / count });
      reduction *= row.stride;
      inChans = out;
      return made;
    });
    if (s === last || rows[s + 1][0].stride > 1)
      info.push({ num_chs: inChans, reduction, module: `blocks.${s}`, stage: s });
    return made;
  });
  return { blocks: blocks.map((stage) => sequential(...stage)), info, width: inChans };
}

/** Stem, stages and head of an architecture. */
export function mobileNetwork(o: MobileOptions, a: Architecture): Network {
  check(o, a);
  const padding = o.pad_type === "same" ? "same" : undefined;
  const norm = { epsilon: o.bn_eps, momentum: o.bn_momentum };
  const stem = a.fixStem ? a.stem : scaleChannels(o, a.stem, a.limit);
  const { blocks, info, width } = trunk(o, a, stem, { act: o.act_layer, padding, norm });
  const [before, after] = a.headAfterPool ? [0, a.head] : [a.head, 0];
  const features = a.head || width;
  const f = activation(o.act_layer);
  const stages = (layers: readonly ((x: Tensor) => Tensor)[], x: Tensor): Tensor[] =>
    layers.map((stage) => {
      x = stage(x);
      return x;
    });
  return network(
    {
      conv_stem: mobileConv(o.in_chans, stem, 3, { stride: 2, padding }),
      bn1: batchNorm(stem, norm),
      blocks,
      conv_head: before
        ? mobileConv(width, before, 1)
        : after
          ? mobileConv(width, after, 1, { bias: true, biasInit: zeros })
          : identity(),
      bn2: before ? batchNorm(before, norm) : identity(),
      global_pool: globalPool(o.global_pool, o.num_classes),
      drop: dropout(o.drop_rate),
      classifier:
        o.num_classes > 0
          ? linear(features, o.num_classes, { weightInit: uniform(o.num_classes ** -0.5), biasInit: zeros })
          : identity(),
    },
    {
      features: (m, x) => {
        const y = stages(m.blocks, f(m.bn1(m.conv_stem(x)))).at(-1) as Tensor;
        return before ? f(m.bn2(m.conv_head(y))) : y;
      },
      head: (m, x) => {
        const pooled = m.global_pool(x);
        return m.classifier(m.drop(after ? onMaps(pooled, (y) => f(m.conv_head(y))) : pooled));
      },
      pyramid: (m, x) => {
        const start = f(m.bn1(m.conv_stem(x)));
        const ends = stages(m.blocks, start);
        return info.map(({ stage }) => (stage < 0 ? start : ends[stage]));
      },
      featureInfo: info.map(({ stage: _, ...rest }) => rest),
    },
  );
}

/** A convolution of maps on vectors [N, C], as maps of one pixel. */
function onMaps(x: Tensor, conv: (x: Tensor) => Tensor): Tensor {
  return x.rank === 4 ? conv(x) : conv(x.reshape([...x.shape, 1, 1])).flatten();
}

function check(o: MobileOptions, a: Architecture): void {
  const usage = (what: string) => new TesseraeError("usage", what);
  if (!(o.channel_multiplier > 0)) throw usage(`channel_multiplier is positive, not ${o.channel_multiplier}`);
  const depths = [o.depth_multiplier].flat();
  if (depths.some((d) => !(d > 0)) || (depths.length > 1 && depths.length !== a.stages.length))
    throw usage(`depth_multiplier is a positive number, or one for each of ${a.stages.length} stages`);
  if (o.pad_type !== "" && o.pad_type !== "same")
    throw usage(`pad_type is same or empty, not ${JSON.stringify(o.pad_type)}`);
}

/** Names with these options are timm's tf_ names: the weights come from TensorFlow. */
export const TENSORFLOW = { pad_type: "same", bn_eps: 1e-3 } as const;

export const MOBILE_DEFAULTS: MobileOptions = {
  num_classes: 1000,
  img_size: 224,
  in_chans: 3,
  global_pool: "avg",
  drop_rate: 0,
  drop_path_rate: 0,
  channel_multiplier: 1,
  depth_multiplier: 1,
  act_layer: "relu",
  pad_type: "",
  bn_eps: 1e-5,
  bn_momentum: 0.1,
};
