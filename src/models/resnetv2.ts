import type { Tensor } from "../graph/tensor.ts";
import { type ConvOptions, convolve, samePadding } from "../nn/conv.ts";
import { defaultWeight, kaimingNormalFanOut, zeros } from "../nn/init.ts";
import { type Init, type Module, module, parameter } from "../nn/module.ts";
import { groupNorm, standardize } from "../nn/norm.ts";

/**
 * Pieces of ResNetV2 as the hybrid ViT has it: BiT's weight-standardised convolutions, group norm and TensorFlow's
 * "same" padding (Kolesnikov et al. 2020, Big Transfer, arXiv:1912.11370), but norm and ReLU behind each convolution.
 */

/**
 * Convolution whose filters have zero mean and unit variance over their fan-in (Qiao et al. 2019, Micro-batch training
 * with batch-channel normalization and weight standardization, eq. 3). No bias; "same" padding.
 */
export const standardizedConv = (
  inChans: number,
  out: number,
  kernel: number,
  { stride = 1, weightInit = kaimingNormalFanOut() }: Pick<ConvOptions, "stride" | "weightInit"> = {},
) =>
  module({ weight: parameter([out, inChans, kernel, kernel], weightInit) }, (m, x: Tensor) => {
    const rows = m.weight.reshape([out, inChans * kernel * kernel]);
    return convolve(x, standardize(rows, 1e-8).reshape(m.weight.shape), undefined, { stride, padding: "same" });
  });

/** 7x7 convolution of stride 2, norm and ReLU: [N, in, H, W] to [N, 64, H/2, W/2]. */
const stem = (inChans: number, weightInit?: Init) =>
  module(
    { conv: standardizedConv(inChans, STEM, 7, { stride: 2, weightInit }), norm: groupNorm(STEM) },
    (m, x: Tensor) => maxPoolSame(m.norm(m.conv(x)).relu()),
  );

const STEM = 64;

/** 3x3 maximum of stride 2: [N, C, H, W] to [N, C, H/2, W/2], rounded up. */
function maxPoolSame(x: Tensor): Tensor {
  const [top, bottom] = samePadding(x.shape[2], 3, 2);
  const [left, right] = samePadding(x.shape[3], 3, 2);
  return x.maxPool({ kernel_shape: [3, 3], strides: [2, 2], pads: [top, left, bottom, right] });
}

/** Projection of the shortcut where stride or width change. */
const shortcut = (inChans: number, out: number, stride: number) =>
  module({ conv: standardizedConv(inChans, out, 1, { stride }), norm: groupNorm(out) }, (m, x: Tensor) =>
    m.norm(m.conv(x)),
  );

/** relu(x + conv1x1(conv3x3(conv1x1(x)))), a quarter as wide inside; the last norm begins at zero. */
const bottleneck = (inChans: number, out: number, stride: number, first: boolean) =>
  module(
    {
      downsample: first ? shortcut(inChans, out, stride) : undefined,
      conv1: standardizedConv(inChans, out / 4, 1),
      norm1: groupNorm(out / 4),
      conv2: standardizedConv(out / 4, out / 4, 3, { stride }),
      norm2: groupNorm(out / 4),
      conv3: standardizedConv(out / 4, out, 1),
      norm3: groupNorm(out, { weightInit: zeros }),
    },
    (m, x: Tensor) => {
      const y = m.norm2(m.conv2(m.norm1(m.conv1(x)).relu())).relu();
      return m
        .norm3(m.conv3(y))
        .add(m.downsample ? m.downsample(x) : x)
        .relu();
    },
  );

const stage = (inChans: number, out: number, stride: number, depth: number) =>
  module(
    {
      blocks: Array.from({ length: depth }, (_, i) =>
        i === 0 ? bottleneck(inChans, out, stride, true) : bottleneck(out, out, 1, false),
      ),
    },
    (m, x: Tensor) => m.blocks.reduce((y, block) => block(y), x),
  );

/** A convolutional network under a transformer. */
export interface Backbone {
  module: Module<[x: Tensor], Tensor>;
  channels: number;
  /** Pixels per pixel of its map. */
  reduction: number;
}

/** Stem and stages of bottlenecks; the stem alone where there are no stages. */
export function resnetV2(inChans: number, layers: readonly number[]): Backbone {
  if (layers.length === 0) return { module: stem(inChans, defaultWeight), channels: STEM, reduction: 4 };
  const widths = layers.map((_, i) => 256 * 2 ** i);
  const stages = layers.map((depth, i) => stage(widths[i - 1] ?? STEM, widths[i], i === 0 ? 1 : 2, depth));
  return {
    module: module({ stem: stem(inChans), stages }, (m, x: Tensor) =>
      m.stages.reduce((y, stage) => stage(y), m.stem(x)),
    ),
    channels: widths[widths.length - 1],
    reduction: 2 ** (layers.length + 1),
  };
}
