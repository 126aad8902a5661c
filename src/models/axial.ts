import { TesseraeError } from "../errors.ts";
import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { conv2d } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { kaimingNormalFanOut, normal, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { buffer, identity, module, parameter, tap } from "../nn/module.ts";
import { batchNorm } from "../nn/norm.ts";
import { sequential } from "../nn/sequential.ts";
import { pair, type Size } from "../nn/size.ts";
import {
  type CommonOptions,
  family,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Network,
  network,
  type StageNotes,
} from "./model.ts";
import { checkMultiple, checkPerStage, stageRates } from "./stages.ts";

export interface AxialOptions extends CommonOptions {
  /** Blocks of each stage. */
  layers: readonly number[];
  /** Width of everything, relative to the large network. */
  scale: number;
  /** Heads. */
  groups: number;
}

const EXPANSION = 2;
const conv1x1 = (inChans: number, out: number, stride = 1) =>
  conv2d(inChans, out, 1, { stride, bias: false, weightInit: kaimingNormalFanOut() });

/** Entry i·L + j: the column of the table of offsets that query i and key j share, i - j + L - 1. */
const offsets = (length: number): number[] =>
  Array.from({ length: length * length }, (_, at) => Math.floor(at / length) - (at % length) + length - 1);

/** Per position: Σ_c t[b, g, c, i] · table[c, i, j], [B, G, C, L] and [C, L, L] to [B, G, L, L]. */
function byPosition(t: Tensor, table: Tensor): Tensor {
  const [b, g, c, length] = t.shape;
  const rows = t.transpose([3, 0, 1, 2]).reshape([length, b * g, c]);
  return rows
    .matmul(table.transpose([1, 0, 2]))
    .reshape([length, b, g, length])
    .transpose([1, 2, 0, 3]);
}

/** Σ_j probs[b, g, i, j] · table[c, i, j], [B, G, L, L] and [C, L, L] to [B, G, C, L]. */
function overKeys(probs: Tensor, table: Tensor): Tensor {
  const [b, g, length] = probs.shape;
  const rows = probs.transpose([2, 0, 1, 3]).reshape([length, b * g, length]);
  const c = table.shape[0];
  return rows
    .matmul(table.transpose([1, 2, 0]))
    .reshape([length, b, g, c])
    .transpose([1, 2, 3, 0]);
}

/**
 * Position-sensitive attention along one axis of length L (eq. 4): with learned encodings r of the offset for
 * queries, keys and values,
 *   y_i = Σ_j softmax_j(q_i·k_j + q_i·r^q_ij + k_j·r^k_ij) (v_j + r^v_ij).
 * The authors normalise the three scores and the two sums by batch norm before they add them.
 */
const axialAttention = (dim: number, groups: number, length: number, axis: "height" | "width") => {
  const each = dim / groups; // value channels of a head; queries and keys have half
  const parts = [each / 2, each / 2, each];
  // The axis in question goes last: [N, C, H, W] to [N, W, C, H] or [N, H, C, W]; and back.
  const [inward, outward] =
    axis === "height"
      ? [
          [0, 4, 1, 2, 3],
          [0, 2, 3, 1],
        ]
      : [
          [0, 3, 1, 2, 4],
          [0, 2, 1, 3],
        ];
  const index = offsets(length);
  return module(
    {
      relative: parameter([2 * each, 2 * length - 1], normal(Math.sqrt(1 / each))),
      flatten_index: buffer([length * length], () => Float32Array.from(index), "int64"),
      qkv_transform: module({ weight: parameter([2 * dim, dim, 1], normal(Math.sqrt(1 / dim))) }, (m, x: Tensor) =>
        x.conv(m.weight.unsqueeze(3)),
      ),
      bn_qkv: batchNorm(2 * dim),
      bn_similarity: batchNorm(3 * groups),
      bn_output: batchNorm(2 * dim),
    },
    (m, x: Tensor) => {
      const [n, , height, width] = x.shape;
      const lines = axis === "height" ? width : height;
      const qkv = m.bn_qkv(m.qkv_transform(x)).reshape([n, groups, 2 * each, height, width]);
      const [q, k, v] = qkv
        .transpose(inward)
        .reshape([n * lines, groups, 2 * each, length])
        .split(parts, 2);
      const [rq, rk, rv] = m.relative
        .gather(constant(index, [length * length], "int64"), 1)
        .reshape([2 * each, length, length])
        .split(parts, 0);
      const scores = concat([q.mT().matmul(k), byPosition(q, rq), byPosition(k, rk).mT()], 1);
      const summed = m
        .bn_similarity(scores)
        .reshape([n * lines, 3, groups, length, length])
        .sum([1]);
      const probs = tap("probs", summed.softmax()); // [N·lines, G, L, L]
      const sums = concat([v.matmul(probs.mT()), overKeys(probs, rv)], 3); // [N·lines, G, C / G, 2·L]
      const y = m.bn_output(sums.reshape([n * lines, 2 * dim, length]));
      return y
        .reshape([n * lines, dim, 2, length])
        .sum([2])
        .reshape([n, lines, dim, length])
        .transpose(outward);
    },
  );
};

interface BlockOptions {
  inChans: number;
  planes: number;
  groups: number;
  /** Of the map that comes in. */
  grid: Size;
  stride: number;
  dropPathRate: number;
}

/** Bottleneck whose 3 x 3 convolution is attention along the height, then along the width (figure 2). */
const block = ({ inChans, planes, groups, grid, stride, dropPathRate }: BlockOptions) => {
  const out = planes * EXPANSION;
  const shortcut = stride !== 1 || inChans !== out;
  return module(
    {
      conv_down: conv1x1(inChans, planes),
      bn1: batchNorm(planes),
      hight_block: axialAttention(planes, groups, grid[0], "height"), // the authors' spelling
      width_block: axialAttention(planes, groups, grid[1], "width"),
      conv_up: conv1x1(planes, out),
      bn2: batchNorm(out, { weightInit: zeros }),
      drop_path: dropPath(dropPathRate),
      downsample: shortcut ? sequential(conv1x1(inChans, out, stride), batchNorm(out)) : undefined,
    },
    (m, x: Tensor) => {
      let y = m.width_block(m.hight_block(m.bn1(m.conv_down(x)).relu()));
      if (stride > 1) y = y.avgPool({ kernel_shape: [stride, stride], strides: [stride, stride] });
      y = m.drop_path(m.bn2(m.conv_up(y.relu())));
      return tap("out", y.add(m.downsample?.(x) ?? x).relu());
    },
  );
};

/**
 * Axial-ResNet: "Axial-DeepLab: Stand-Alone Axial-Attention for Panoptic Segmentation" (Wang et al. 2020, section 3
 * and table 1), in the layout of the authors' code: a ResNet whose spatial convolutions after the stem are axial
 * attention over the whole height and width.
 */
export function axial(o: AxialOptions): Network {
  check(o);
  const stem = Math.floor(64 * o.scale);
  const planes = [128, 256, 512, 1024].map((width) => Math.floor(width * o.scale));
  const rates = stageRates(o.drop_path_rate, o.layers);
  /** Stage i: its first block takes the map of the stage before and halves it. */
  const stage = (i: number) =>
    sequential(
      ...rates[i].map((dropPathRate, j) => {
        const before = i === 0 ? stem : planes[i - 1] * EXPANSION;
        return block({
          inChans: j === 0 ? before : planes[i] * EXPANSION,
          planes: planes[i],
          groups: o.groups,
          grid: mapOf(o, j === 0 ? Math.max(0, i - 1) : i),
          stride: j === 0 && i > 0 ? 2 : 1,
          dropPathRate,
        });
      }),
    );
  const width = planes[3] * EXPANSION;
  return network(
    {
      conv1: conv2d(o.in_chans, stem, 7, { stride: 2, bias: false, weightInit: kaimingNormalFanOut() }),
      bn1: batchNorm(stem),
      layer1: stage(0),
      layer2: stage(1),
      layer3: stage(2),
      layer4: stage(3),
      global_pool: globalPool(o.global_pool, o.num_classes),
      head_drop: dropout(o.drop_rate),
      fc: o.num_classes > 0 ? linear(width, o.num_classes) : identity(),
    },
    {
      features: (m, x) => m.layer4(m.layer3(m.layer2(m.layer1(maxPool(m.bn1(m.conv1(x)).relu()))))),
      head: (m, x) => m.fc(m.head_drop(m.global_pool(x))),
      pyramid: (m, x) => {
        x = maxPool(m.bn1(m.conv1(x)).relu());
        return [m.layer1, m.layer2, m.layer3, m.layer4].map((layer) => (x = layer(x)));
      },
      featureInfo: planes.map((p, i) => ({
        num_chs: p * EXPANSION,
        reduction: 4 * 2 ** i,
        module: `layer${i + 1}`,
      })),
    },
  );
}

/** Of stage i. */
const mapOf = (o: AxialOptions, i: number): Size => {
  const [height, width] = pair(o.img_size);
  return [height / (4 * 2 ** i), width / (4 * 2 ** i)];
};

/** Height and width that attention spans: the first block works on the map before it is halved. */
function spanNote(o: AxialOptions, i: number): StageNotes {
  const maps = [mapOf(o, Math.max(0, i - 1)), ...(o.layers[i] > 1 ? [mapOf(o, i)] : [])];
  return { span: [...new Set(maps.map((map) => map.join("+")))].join(", ") };
}

const maxPool = (x: Tensor): Tensor => x.maxPool({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });

function check(o: AxialOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  checkPerStage({ layers: o.layers }, 4);
  checkMultiple(pair(o.img_size), 32);
  const unit = 2 * o.groups;
  if (!Number.isInteger(o.groups) || o.groups < 1) throw usage(`option groups takes a positive whole number`);
  if (!(o.scale > 0) || (128 * o.scale) % unit)
    throw usage(
      `a scale of ${o.scale} gives ${128 * o.scale} channels, not a multiple of ${unit}`,
      `Each of ${o.groups} heads needs an even number`,
    );
}

export default family<AxialOptions>({
  paper: "Wang et al. 2020, Axial-DeepLab, arXiv:2003.07853",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    layers: [3, 4, 6, 3],
    scale: 1,
    groups: 8,
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bilinear", crop_pct: 0.875 },
  build: axial,
  stage: spanNote,
  variants: {
    axial26s: { layers: [1, 2, 4, 1], scale: 0.5 },
    axial50s: { scale: 0.5 },
    axial50m: { scale: 0.75 },
    axial50l: {},
  },
});
