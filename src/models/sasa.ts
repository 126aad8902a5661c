import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { conv2d } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { kaimingNormalFanOut, normal, uniform, zeros } from "../nn/init.ts";
import { linear, splitLinear } from "../nn/linear.ts";
import { axisOffsets, localAttention, positionedAttention, relativeEmbedding } from "../nn/local-attention.ts";
import { fn, identity, module, parameter, tap } from "../nn/module.ts";
import { batchNorm } from "../nn/norm.ts";
import { act, type Layer, sequential } from "../nn/sequential.ts";
import { pair } from "../nn/size.ts";
import { type CommonOptions, family, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";
import { checkMultiple, checkPerStage, stageRates } from "./stages.ts";

export interface SasaOptions extends CommonOptions {
  /** Blocks of each of the four stages. */
  layers: readonly number[];
  /** Width inside the blocks of each stage; outside it is four times that. */
  channels: readonly number[];
  num_heads: number;
  /** Side of the attention windows. */
  kernel_size: number;
  /** A 7x7 convolution and max pool, or attention with spatially aware values (section 3.2). */
  stem: "conv" | "attention";
}

const conv = (inChans: number, out: number, kernel: number, stride = 1) =>
  conv2d(inChans, out, kernel, { stride, bias: false, weightInit: kaimingNormalFanOut() });

/** Side of the blocks in which the attention stem attends and pools. */
const STEM_BLOCK = 4;
/** Value matrices that the attention stem blends (the appendix's m). */
const MIXTURES = 4;

/**
 * Values ṽ_ab = (Σ_m p(a, b, m) W_V^m) x_ab with p = softmax_m((row_a + column_b)·ν^m) (section 3.2): a projection
 * of its own for each place of a block, blended from few. Blocks [B, 16, C] to [B, 16, out].
 */
const spatialValue = (inChans: number, out: number) =>
  module(
    {
      weight: parameter([MIXTURES, out, inChans], uniform(inChans ** -0.5)),
      rows: parameter([STEM_BLOCK, 1, out], normal(1), { decay: false }),
      columns: parameter([1, STEM_BLOCK, out], normal(1), { decay: false }),
      mixtures: parameter([MIXTURES, out], normal(out ** -0.5), { decay: false }),
    },
    (m, x: Tensor) => {
      const places = STEM_BLOCK ** 2;
      const blend = m.rows.add(m.columns).reshape([places, out]).matmul(m.mixtures.mT()).softmax(); // [16, M]
      const weights = blend.matmul(m.weight.reshape([MIXTURES, out * inChans])).reshape([places, out, inChans]);
      return x.transpose([1, 0, 2]).matmul(weights.mT()).transpose([1, 0, 2]);
    },
  );

/** Attention within 4x4 blocks, batch norm, 4x4 max pool (section 4.1): [N, C, H, W] to [N, out, H/4, W/4]. */
export const attentionStem = (inChans: number, out: number, heads: number) =>
  module(
    {
      query_key: splitLinear(inChans, out, 2, { bias: false }),
      value: spatialValue(inChans, out),
      relative: relativeEmbedding(heads, out / heads, 2 * STEM_BLOCK - 1),
      bn: batchNorm(out),
    },
    (m, x: Tensor) => {
      const [s, d] = [STEM_BLOCK, out / heads];
      const [n, , height, width] = x.shape;
      const [rows, columns, blocks] = [height / s, width / s, (n * height * width) / (s * s)];
      const pixels = x
        .reshape([n, inChans, rows, s, columns, s])
        .transpose([0, 2, 4, 3, 5, 1])
        .reshape([blocks, s * s, inChans]);
      const [q, k] = m.query_key(pixels).map((t) => t.reshape([blocks, s, s, heads, d]));
      const v = m
        .value(pixels)
        .reshape([blocks, s * s, heads, d])
        .transpose([0, 2, 1, 3]);
      const queries = q.transpose([0, 3, 1, 2, 4]); // [B, heads, 4, 4, d]
      const keys = k.transpose([0, 3, 4, 1, 2]).reshape([blocks, heads, d, s * s]);
      const offsets = axisOffsets(s, s, 1 - s, 2 * s - 1);
      const y = positionedAttention(queries, keys, v, m.relative(queries, offsets, offsets)); // [B, heads, 16, d]
      const map = y.reshape([n, rows, columns, heads, s, s, d]).transpose([0, 3, 6, 1, 4, 2, 5]);
      return m.bn(map.reshape([n, out, height, width])).maxPool({ kernel_shape: [s, s], strides: [s, s] });
    },
  );

const convStem = (inChans: number, out: number): Layer =>
  sequential(
    conv(inChans, out, 7, 2),
    batchNorm(out),
    act("relu"),
    fn((x: Tensor) => x.maxPool({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] })),
  );

/** ResNet's bottleneck with attention for its 3x3 convolution; 2x2 average pooling after it halves the map. */
const bottleneck = (o: SasaOptions, inChans: number, planes: number, stride: number, dropPathRate: number) => {
  const out = 4 * planes;
  const shortcut = stride !== 1 || inChans !== out;
  return module(
    {
      conv1: conv(inChans, planes, 1),
      bn1: batchNorm(planes),
      attn: localAttention(planes, { heads: o.num_heads, kernel: o.kernel_size }),
      bn2: batchNorm(planes),
      conv3: conv(planes, out, 1),
      bn3: batchNorm(out, { weightInit: zeros }),
      drop_path: dropPath(dropPathRate),
      downsample: shortcut ? sequential(conv(inChans, out, 1, stride), batchNorm(out)) : undefined,
    },
    (m, x: Tensor) => {
      let y = m.attn(m.bn1(m.conv1(x)).relu());
      if (stride > 1) y = y.avgPool({ kernel_shape: [stride, stride], strides: [stride, stride], ceil_mode: 1 });
      y = m.drop_path(m.bn3(m.conv3(m.bn2(y).relu())));
      return tap("out", y.add(m.downsample?.(x) ?? x).relu());
    },
  );
};

/**
 * "Stand-Alone Self-Attention in Vision Models" (Ramachandran et al. 2019, section 4.1 and table 1): a ResNet whose
 * every spatial convolution is local self-attention. Queries, keys and values are dense 1x1 projections: table 1's
 * parameter counts say so, though section 2.2 describes one group of channels a head.
 */
export function sasa(o: SasaOptions): Network {
  check(o);
  const rates = stageRates(o.drop_path_rate, o.layers);
  const stage = (i: number) =>
    rates[i].map((rate, j) => {
      const before = i === 0 ? o.channels[0] : 4 * o.channels[i - 1];
      const inChans = j === 0 ? before : 4 * o.channels[i];
      return bottleneck(o, inChans, o.channels[i], j === 0 && i > 0 ? 2 : 1, rate);
    });
  const stem: Layer =
    o.stem === "conv" ? convStem(o.in_chans, o.channels[0]) : attentionStem(o.in_chans, o.channels[0], o.num_heads);
  const width = 4 * o.channels[3];
  const run = (x: Tensor, blocks: readonly ((x: Tensor) => Tensor)[]) => blocks.reduce((y, block) => block(y), x);
  return network(
    {
      stem,
      layer1: stage(0),
      layer2: stage(1),
      layer3: stage(2),
      layer4: stage(3),
      global_pool: globalPool(o.global_pool, o.num_classes),
      head_drop: dropout(o.drop_rate),
      fc: o.num_classes > 0 ? linear(width, o.num_classes) : identity(),
    },
    {
      features: (m, x) => [m.layer1, m.layer2, m.layer3, m.layer4].reduce(run, m.stem(x)),
      head: (m, x) => m.fc(m.head_drop(m.global_pool(x))),
      pyramid: (m, x) => {
        let y = m.stem(x);
        return [m.layer1, m.layer2, m.layer3, m.layer4].map((layer) => (y = run(y, layer)));
      },
      featureInfo: o.channels.map((c, i) => ({ num_chs: 4 * c, reduction: 4 * 2 ** i, module: `layer${i + 1}` })),
    },
  );
}

function check(o: SasaOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  checkPerStage({ layers: o.layers, channels: o.channels }, 4);
  if (o.stem !== "conv" && o.stem !== "attention")
    throw usage(`stem is conv or attention, not ${JSON.stringify(o.stem)}`);
  if (o.stem === "attention") checkMultiple(pair(o.img_size), STEM_BLOCK);
}

export default family<SasaOptions>({
  paper: "Ramachandran et al. 2019, Stand-Alone Self-Attention in Vision Models, arXiv:1906.05909",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    layers: [3, 4, 6, 3],
    channels: [64, 128, 256, 512],
    num_heads: 8,
    kernel_size: 7,
    stem: "conv",
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bilinear", crop_pct: 0.875 },
  build: sasa,
  stage: (o) => ({ window: `${o.kernel_size}x${o.kernel_size}` }),
  variants: {
    sasa_resnet26: { layers: [1, 2, 4, 1] },
    sasa_resnet38: { layers: [2, 3, 5, 2] },
    sasa_resnet50: {},
  },
});
