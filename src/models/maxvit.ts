import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "../nn/activation.ts";
import { attend, joinHeads, splitHeads } from "../nn/attention.ts";
import { type ConvOptions, conv2d, samePadding } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { classifierHead, normMlpHead } from "../nn/head.ts";
import { kaimingNormalFanOut, normal, truncNormal, xavierUniform, zeros } from "../nn/init.ts";
import { layerScale } from "../nn/layer-scale.ts";
import { dense, linear } from "../nn/linear.ts";
import { makeDivisible } from "../nn/mbconv.ts";
import { mlp } from "../nn/mlp.ts";
import { type AnyModule, identity, type Module, module, parameter, tap } from "../nn/module.ts";
import { batchNorm, layerNorm, layerNorm2d } from "../nn/norm.ts";
import { biasOfOffsets, offsetTable, relativePositionBias, relativePositionBiasTf } from "../nn/position.ts";
import type { Layer } from "../nn/sequential.ts";
import { pair, type Size } from "../nn/size.ts";
import { seModule } from "../nn/squeeze-excite.ts";
import { gridPartition, gridReverse, windowPartition, windowReverse } from "../nn/window.ts";
import { type CommonOptions, family, HALF, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";
import { checkMultiple, checkPerStage, stageRates } from "./stages.ts";

export interface MaxVitOptions extends CommonOptions {
  /** Channels and blocks of each stage. */
  embed_dim: readonly number[];
  depths: readonly number[];
  /** Channels of the stem's two convolutions. */
  stem_width: readonly number[];
  stem_bias: boolean;
  /** Windows of the block attention; null: 1/32 of the image, the whole map of the last stage. */
  window_size: number | Size | null;
  /** Pixels a side that each attend to each other in the grid attention; null: as window_size. */
  grid_size: number | Size | null;
  dim_head: number;
  /** Order of the qkv rows: by head and then q, k, v, or q, k, v and then by head. */
  head_first: boolean;
  /** Table of offsets (in TensorFlow's layout: bias_tf), or a network of the offset's logarithm. */
  rel_pos_type: "bias" | "bias_tf" | "mlp";
  /** Width of that network. */
  rel_pos_dim: number;
  /** To compare: relative bias of the scores, a learned table added where each stage begins, or no positions. */
  pos_embed: "relative" | "absolute" | "none";
  /** To compare: parts of each block to leave out; without MBConv, pooling and a 1x1 convolution halve the map. */
  mbconv: boolean;
  block_attn: boolean;
  grid_attn: boolean;
  /** MBConv expands its output's channels; else its input's. */
  expand_output: boolean;
  /** Bias of MBConv's last convolution and of the shortcut's. */
  output_bias: boolean;
  /** Squeezed channels as a share of the output's (with expand_output) or the expanded ones. */
  attn_ratio: number;
  conv_act_layer: Activation;
  conv_norm_eps: number;
  /** TensorFlow's "same" padding. */
  padding: "same" | "";
  act_layer: Activation;
  norm_eps: number;
  /** Initial value of layer scale in the attention blocks; null: none. */
  init_values: number | null;
  /** Hidden layer of the head; null: a norm and the classifier alone. */
  head_hidden_size: number | null;
  proj_drop_rate: number;
  attn_drop_rate: number;
}

// --- convolutions

/** Initialised as EfficientNet is: variance 2 / fan out of a group. */
const conv = (o: MaxVitOptions, inChans: number, out: number, kernel: number, options: ConvOptions = {}) =>
  conv2d(inChans, out, kernel, {
    bias: false,
    padding: o.padding === "same" ? "same" : undefined,
    weightInit: kaimingNormalFanOut(options.groups),
    biasInit: zeros,
    ...options,
  });

/** Two 3x3 convolutions, the first of stride 2 (table 1, S0). */
const stem = (o: MaxVitOptions) => {
  const [first, second] = o.stem_width;
  return module(
    {
      conv1: conv(o, o.in_chans, first, 3, { stride: 2, bias: o.stem_bias }),
      norm1: batchNorm(first, { epsilon: o.conv_norm_eps }),
      conv2: conv(o, first, second, 3, { bias: o.stem_bias }),
    },
    (m, x: Tensor) => m.conv2(activation(o.conv_act_layer)(m.norm1(m.conv1(x)))),
  );
};

/** What is added to a block's convolutions: the input, or where the map is halved its 2x2 means, projected. */
const shortcut = (o: MaxVitOptions, inChans: number, out: number, stride: number): Layer =>
  stride === 1
    ? identity()
    : module(
        { expand: inChans === out ? identity() : conv(o, inChans, out, 1, { bias: o.output_bias }) },
        (m, x: Tensor) => m.expand(averages(x)),
      );

const averages = (x: Tensor): Tensor => {
  const [bottom, right] = [samePadding(x.shape[2], 2, 2)[1], samePadding(x.shape[3], 2, 2)[1]];
  return x.avgPool({ kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, bottom, right], count_include_pad: 1 });
};

/** MBConv with a norm in front: x + project(squeeze(depthwise(expand(norm(x))))) (section 3.4 and appendix A.1). */
const mbconv = (o: MaxVitOptions, inChans: number, out: number, stride: number, dropPathRate: number): Layer => {
  const mid = makeDivisible((o.expand_output ? out : inChans) * 4);
  const squeezed = Math.floor(o.attn_ratio * (o.expand_output ? out : mid));
  const norm = (channels: number) => batchNorm(channels, { epsilon: o.conv_norm_eps });
  const act = activation(o.conv_act_layer);
  return module(
    {
      shortcut: shortcut(o, inChans, out, stride),
      pre_norm: norm(inChans),
      conv1_1x1: conv(o, inChans, mid, 1),
      norm1: norm(mid),
      conv2_kxk: conv(o, mid, mid, 3, { stride, groups: mid }),
      norm2: norm(mid),
      se: seModule(mid, squeezed, { act: "silu", weightInit: kaimingNormalFanOut(), biasInit: zeros }),
      conv3_1x1: conv(o, mid, out, 1, { bias: o.output_bias }),
      drop_path: dropPath(dropPathRate),
    },
    (m, x: Tensor) => {
      const wide = act(m.norm1(m.conv1_1x1(m.pre_norm(x))));
      const y = m.conv3_1x1(m.se(act(m.norm2(m.conv2_kxk(wide)))));
      return m.drop_path(y).add(m.shortcut(x));
    },
  );
};

/** What is left of MBConv without its convolutions. */
const shortcutOnly = (o: MaxVitOptions, inChans: number, out: number, stride: number): Layer =>
  module({ shortcut: shortcut(o, inChans, out, stride) }, (m, x: Tensor) => m.shortcut(x));

// --- attention

const weights = { weightInit: xavierUniform, biasInit: zeros };
const mlpWeights = { weightInit: xavierUniform, biasInit: normal(1e-6) };

/** Bias as a network of sign(d) ln(1 + |d|) of both offsets d (after Swin V2, section 3.3). */
const positionMlp = (window: Size, heads: number, hidden: number) =>
  module(
    {
      mlp: module(
        {
          fc1: linear(2, hidden, { ...mlpWeights, decay: false }),
          fc2: linear(hidden, heads, { ...mlpWeights, decay: false }),
        },
        (m, x: Tensor) => m.fc2(m.fc1(x).relu()),
      ),
    },
    (m): Tensor => {
      const table = offsetTable(window, (offset) => Math.sign(offset) * Math.log1p(Math.abs(offset)));
      return biasOfOffsets(m.mlp(table), window);
    },
  );

/** Scores' bias [heads, L, L]. */
function relativeBias(o: MaxVitOptions, window: Size, heads: number): Module<[], Tensor> | undefined {
  if (o.pos_embed !== "relative") return undefined;
  if (o.rel_pos_type === "mlp") return positionMlp(window, heads, o.rel_pos_dim);
  return o.rel_pos_type === "bias" ? relativePositionBias(window, heads) : relativePositionBiasTf(window, heads);
}

/** Multi-head attention of [N, L, C] with relative bias (eq. 1). */
const attention = (o: MaxVitOptions, dim: number, window: Size) => {
  const [heads, d] = [dim / o.dim_head, o.dim_head];
  return module(
    {
      qkv: linear(dim, 3 * dim, weights),
      rel_pos: relativeBias(o, window, heads) as AnyModule | undefined,
      attn_drop: dropout(o.attn_drop_rate),
      proj: linear(dim, dim, weights),
      proj_drop: dropout(o.proj_drop_rate),
    },
    (m, x: Tensor) => {
      const [wq, wk, wv] = parts(o, m.qkv.weight, d);
      const [bq, bk, bv] = parts(o, m.qkv.bias as Tensor, d);
      const [q, k, v] = [dense(x, wq, bq), dense(x, wk, bk), dense(x, wv, bv)].map((t) => splitHeads(t, heads));
      const bias = m.rel_pos && tap("bias", m.rel_pos()); // [heads, L, L]
      const y = attend(q.mul(d ** -0.5), k, v, { bias, drop: m.attn_drop });
      return m.proj_drop(m.proj(joinHeads(y)));
    },
  );
};

/** Rows of the weight or bias that make q, k and v. */
function parts({ head_first }: MaxVitOptions, t: Tensor, d: number): readonly Tensor[] {
  if (!head_first) return t.split(3, 0);
  const [rows, ...rest] = t.shape;
  const byHead = t.reshape([rows / 3 / d, 3, d, ...rest]);
  return byHead.split(3, 1).map((part) => part.reshape([rows / 3, ...rest]));
}

type Partition = "block" | "grid";

const PARTITIONS = {
  block: { partition: windowPartition, reverse: windowReverse },
  grid: { partition: gridPartition, reverse: gridReverse },
};

/** x + attn(norm(x)) within windows or grids, then x + mlp(norm(x)); maps [N, H, W, C] (figure 3). */
const partitionAttention = (o: MaxVitOptions, dim: number, kind: Partition, dropPathRate: number): Layer => {
  const window = windows(o)[kind];
  const { partition, reverse } = PARTITIONS[kind];
  return module(
    {
      norm1: layerNorm(dim, { epsilon: o.norm_eps }),
      attn: attention(o, dim, window),
      ls1: layerScale(dim, o.init_values),
      drop_path1: dropPath(dropPathRate),
      norm2: layerNorm(dim, { epsilon: o.norm_eps }),
      mlp: mlp(dim, 4 * dim, { act: o.act_layer, drop: o.proj_drop_rate, ...mlpWeights }),
      ls2: layerScale(dim, o.init_values),
      drop_path2: dropPath(dropPathRate),
    },
    (m, x: Tensor) => {
      const map: Size = [x.shape[1], x.shape[2]];
      const y = reverse(m.attn(partition(m.norm1(x), window)), window, map);
      x = x.add(m.drop_path1(m.ls1(y)));
      return tap("out", x.add(m.drop_path2(m.ls2(m.mlp(m.norm2(x))))));
    },
  );
};

/** MBConv, block attention, grid attention (figure 2). */
const block = (o: MaxVitOptions, inChans: number, out: number, stride: number, rate: number) =>
  module(
    {
      conv: o.mbconv ? mbconv(o, inChans, out, stride, rate) : shortcutOnly(o, inChans, out, stride),
      attn_block: o.block_attn ? partitionAttention(o, out, "block", rate) : identity(),
      attn_grid: o.grid_attn ? partitionAttention(o, out, "grid", rate) : identity(),
    },
    (m, x: Tensor, position?: Tensor) => {
      const map = m.conv(x);
      const last = (position ? map.add(position) : map).transpose([0, 2, 3, 1]);
      return m.attn_grid(m.attn_block(last)).transpose([0, 3, 1, 2]);
    },
  );

/** Blocks of one width; the first halves the map. */
const stage = (o: MaxVitOptions, index: number, map: Size, rates: readonly number[]) => {
  const dim = o.embed_dim[index];
  const before = index ? o.embed_dim[index - 1] : o.stem_width[1];
  const table = () => parameter([1, dim, ...map], truncNormal(0.02), { decay: false });
  return module(
    {
      pos_embed: o.pos_embed === "absolute" ? table() : undefined,
      blocks: rates.map((rate, i) => block(o, i ? dim : before, dim, i ? 1 : 2, rate)),
    },
    (m, x: Tensor) => m.blocks.reduce((y, block, i) => block(y, i ? undefined : m.pos_embed), x),
  );
};

/** MaxViT: "Multi-Axis Vision Transformer" (Tu et al. 2022, figure 2 and table 1). */
export function maxvit(o: MaxVitOptions): Network {
  check(o);
  const rates = stageRates(o.drop_path_rate, o.depths);
  const image = pair(o.img_size);
  const stages = o.depths.map((_, i) => stage(o, i, [image[0] / 2 ** (i + 2), image[1] / 2 ** (i + 2)], rates[i]));
  const last = o.embed_dim[o.embed_dim.length - 1];
  const ends = { pool: o.global_pool, drop: o.drop_rate };
  const hidden = o.head_hidden_size;
  return network(
    {
      stem: stem(o),
      stages,
      norm: hidden === null ? layerNorm2d(last, { epsilon: o.norm_eps }) : identity(),
      head: (hidden === null
        ? classifierHead(last, o.num_classes, ends)
        : normMlpHead(last, o.num_classes, { hidden, epsilon: o.norm_eps, ...ends })) as Layer,
    },
    {
      features: (m, x) => m.norm(m.stages.reduce((y, stage) => stage(y), m.stem(x))), // [N, C, H/32, W/32]
      head: (m, x) => m.head(x),
      pyramid: (m, x) => {
        const maps = [m.stem(x)];
        for (const stage of m.stages) maps.push(stage(maps[maps.length - 1]));
        return maps;
      },
      featureInfo: [
        { num_chs: o.stem_width[1], reduction: 2, module: "stem" },
        ...o.embed_dim.map((num_chs, i) => ({ num_chs, reduction: 2 ** (i + 2), module: `stages.${i}` })),
      ],
    },
  );
}

/** Sides of the block attention's windows and of the grid attention's grids. */
function windows(o: MaxVitOptions): Record<Partition, Size> {
  const [height, width] = pair(o.img_size);
  const window = o.window_size === null ? ([height / 32, width / 32] as const) : pair(o.window_size);
  return { block: window, grid: o.grid_size === null ? window : pair(o.grid_size) };
}

function check(o: MaxVitOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  const { depths, embed_dim, stem_width } = o;
  checkPerStage({ depths, embed_dim }, depths.length);
  checkPerStage({ stem_width }, 2);
  const narrow = embed_dim.find((dim) => dim % o.dim_head);
  if (narrow) throw usage(`heads of dim_head=${o.dim_head} do not divide a width of ${narrow}`);
  const image = pair(o.img_size);
  checkMultiple(image, 2 ** (depths.length + 1));
  for (const [kind, window] of Object.entries(windows(o))) {
    if (window.length !== 2 || window.some((side) => !Number.isInteger(side) || side < 1))
      throw usage(`${kind} attention takes windows of whole pixels, not ${window.join("x")}`);
    depths.forEach((_, i) => {
      const map = image.map((side) => side / 2 ** (i + 2));
      if (map.some((side, axis) => side % window[axis] || window[axis] % 1))
        throw usage(
          `${kind} attention of ${window.join("x")} does not divide the map of ${map.join("x")} of stage ${i}`,
          "Leave window_size and grid_size out for 1/32 of the image, a multiple of 32",
        );
    });
  }
}

/** As the authors' code, in TensorFlow, has it. */
const TF = {
  stem_bias: true,
  expand_output: true,
  output_bias: true,
  attn_ratio: 0.25,
  conv_act_layer: "gelu_tanh",
  conv_norm_eps: 1e-3,
  padding: "same",
  act_layer: "gelu_tanh",
  norm_eps: 1e-5,
  head_first: false,
  rel_pos_type: "bias_tf",
} as const;

const narrow = [64, 128, 256, 512];
const wide = [96, 192, 384, 768];
const deep = [2, 6, 14, 2];
const tiny = { ...TF, embed_dim: narrow, stem_width: [64, 64], head_hidden_size: 512 };
const small = { ...TF, embed_dim: wide, stem_width: [64, 64], head_hidden_size: 768 };
const base = { ...small, depths: deep };
const large = {
  ...TF,
  embed_dim: [128, 256, 512, 1024],
  depths: deep,
  stem_width: [128, 128],
  head_hidden_size: 1024,
};
const xlarge = {
  ...TF,
  embed_dim: [192, 384, 768, 1536],
  depths: deep,
  stem_width: [192, 192],
  head_hidden_size: 1536,
};

/** timm's own sizes: MBConv expands its input, no biases there, the rw initials of their trainer. */
const pico = { embed_dim: [32, 64, 128, 256], stem_width: [24, 32] };
const nano = { embed_dim: narrow, depths: [1, 2, 3, 1] };
const rmlp = { rel_pos_type: "mlp" } as const;
const smallRw = { ...rmlp, embed_dim: wide, init_values: 1e-6 };
const baseRw = { ...rmlp, embed_dim: wide, depths: deep, head_hidden_size: 768 };

const at224 = { img_size: 224, preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD } };
const at256 = { img_size: 256 };
const at384 = { img_size: 384, preprocessing: { crop_pct: 1 } };
const at512 = { img_size: 512, preprocessing: { crop_pct: 1 } };

export default family<MaxVitOptions>({
  paper: "Tu et al. 2022, MaxViT: Multi-Axis Vision Transformer, arXiv:2204.01697",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    embed_dim: narrow,
    depths: [2, 2, 5, 2],
    stem_width: [32, 64],
    stem_bias: false,
    window_size: null,
    grid_size: null,
    dim_head: 32,
    head_first: true,
    rel_pos_type: "bias",
    rel_pos_dim: 512,
    pos_embed: "relative",
    mbconv: true,
    block_attn: true,
    grid_attn: true,
    expand_output: false,
    output_bias: false,
    attn_ratio: 1 / 16,
    conv_act_layer: "silu",
    conv_norm_eps: 1e-5,
    padding: "",
    act_layer: "gelu",
    norm_eps: 1e-6,
    init_values: null,
    head_hidden_size: null,
    proj_drop_rate: 0,
    attn_drop_rate: 0,
  },
  preprocessing: { mean: HALF, std: HALF, interpolation: "bicubic", crop_pct: 0.95 },
  build: maxvit,
  stage: (o) => ({
    ...(o.block_attn && { window: windows(o).block.join("x") }),
    ...(o.grid_attn && { grid: windows(o).grid.join("x") }),
  }),
  variants: {
    maxvit_pico_rw_256: { ...pico, ...at256 },
    maxvit_nano_rw_256: { ...nano, ...at256 },
    maxvit_tiny_rw_224: {},
    maxvit_tiny_rw_256: at256,
    maxvit_rmlp_pico_rw_256: { ...pico, ...rmlp, ...at256 },
    maxvit_rmlp_nano_rw_256: { ...nano, ...rmlp, ...at256 },
    maxvit_rmlp_tiny_rw_256: { ...rmlp, ...at256 },
    maxvit_rmlp_small_rw_224: { ...smallRw, preprocessing: { crop_pct: 0.9 } },
    maxvit_rmlp_small_rw_256: { ...smallRw, ...at256 },
    maxvit_rmlp_base_rw_224: baseRw,
    maxvit_rmlp_base_rw_384: { ...baseRw, ...at384 },
    maxvit_tiny_tf_224: { ...tiny, ...at224 },
    maxvit_tiny_tf_384: { ...tiny, ...at384 },
    maxvit_tiny_tf_512: { ...tiny, ...at512 },
    maxvit_small_tf_224: { ...small, ...at224 },
    maxvit_small_tf_384: { ...small, ...at384 },
    maxvit_small_tf_512: { ...small, ...at512 },
    maxvit_base_tf_224: { ...base, ...at224 },
    maxvit_base_tf_384: { ...base, ...at384 },
    maxvit_base_tf_512: { ...base, ...at512 },
    maxvit_large_tf_224: { ...large, ...at224 },
    maxvit_large_tf_384: { ...large, ...at384 },
    maxvit_large_tf_512: { ...large, ...at512 },
    maxvit_xlarge_tf_224: { ...xlarge, num_classes: 21843 },
    maxvit_xlarge_tf_384: { ...xlarge, ...at384 },
    maxvit_xlarge_tf_512: { ...xlarge, ...at512 },
  },
});
