import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { conv2d } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { globalPool } from "../nn/global-pool.ts";
import { kaimingNormalFanOut, truncNormal, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { identity, module, tap } from "../nn/module.ts";
import { layerNorm } from "../nn/norm.ts";
import { pair, type Size } from "../nn/size.ts";
import { srAttention } from "../nn/sr-attention.ts";
import { toMap, toTokens } from "../nn/tokens.ts";
import { type CommonOptions, family, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";
import { checkPerStage, stageRates } from "./stages.ts";

export interface PvtV2Options extends CommonOptions {
  /** One number a stage: widths C, blocks L, heads N, MLP expansions E and reduction ratios R of table 1. */
  embed_dims: readonly number[];
  depths: readonly number[];
  num_heads: readonly number[];
  mlp_ratios: readonly number[];
  sr_ratios: readonly number[];
  qkv_bias: boolean;
  /** Linear attention: keys and values come from the map pooled to 7 x 7, whatever its size; sr_ratios then rest. */
  linear: boolean;
  proj_drop_rate: number;
  attn_drop_rate: number;
}

/** Side P of the pooled map of linear attention (section 3.2). */
const POOL = 7;
const weights = { weightInit: truncNormal(0.02), biasInit: zeros };
const convInit = (groups = 1) => ({ weightInit: kaimingNormalFanOut(groups), biasInit: zeros });

/** Overlapping patches (section 3.3): kernel 2S - 1 at stride S, padding S - 1. [N, C, H, W] to tokens and their grid. */
const overlapPatchEmbed = (inChans: number, dim: number, stride: number) =>
  module(
    {
      proj: conv2d(inChans, dim, 2 * stride - 1, { stride, padding: stride - 1, ...convInit() }),
      norm: layerNorm(dim, { epsilon: 1e-5 }),
    },
    (m, x: Tensor) => {
      const map = m.proj(x);
      return { tokens: m.norm(toTokens(map)), grid: [map.shape[2], map.shape[3]] as Size };
    },
  );

/** Convolutional feed-forward (section 3.4): a 3 x 3 depthwise convolution between the layers, and with it positions. */
const convMlp = (dim: number, hidden: number, { linear: extraRelu, proj_drop_rate: drop }: PvtV2Options) =>
  module(
    {
      fc1: linear(dim, hidden, weights),
      dwconv: conv2d(hidden, hidden, 3, { groups: hidden, ...convInit(hidden) }),
      drop1: dropout(drop),
      fc2: linear(hidden, dim, weights),
      drop2: dropout(drop),
    },
    (m, x: Tensor, grid: Size) => {
      const y = toMap(m.fc1(x), grid);
      const z = toTokens(m.dwconv(extraRelu ? y.relu() : y));
      return m.drop2(m.fc2(m.drop1(z.gelu())));
    },
  );

/** Pre-norm block of stage i: x + attn(norm(x)), then x + mlp(norm(x)). */
const block = (o: PvtV2Options, i: number, dropPathRate: number) => {
  const dim = o.embed_dims[i];
  return module(
    {
      norm1: layerNorm(dim),
      attn: srAttention(dim, o.num_heads[i], {
        srRatio: o.sr_ratios[i],
        poolTo: o.linear ? POOL : undefined,
        qkvBias: o.qkv_bias,
        attnDrop: o.attn_drop_rate,
        projDrop: o.proj_drop_rate,
        convInit: convInit(),
        ...weights,
      }),
      drop_path1: dropPath(dropPathRate),
      norm2: layerNorm(dim),
      mlp: convMlp(dim, Math.floor(dim * o.mlp_ratios[i]), o),
      drop_path2: dropPath(dropPathRate),
    },
    (m, x: Tensor, grid: Size) => {
      x = x.add(m.drop_path1(m.attn(m.norm1(x), grid)));
      return tap("out", x.add(m.drop_path2(m.mlp(m.norm2(x), grid))));
    },
  );
};

interface Tokens {
  /** [N, H·W, C]. */
  readonly tokens: Tensor;
  readonly grid: Size;
}

/** Stage i on tokens (the first) or on the feature map before it, to a feature map [N, C, H, W]. */
const stage = (o: PvtV2Options, i: number, rates: readonly number[]) =>
  module(
    {
      downsample: i > 0 ? overlapPatchEmbed(o.embed_dims[i - 1], o.embed_dims[i], 2) : undefined,
      blocks: rates.map((rate) => block(o, i, rate)),
      norm: layerNorm(o.embed_dims[i]),
    },
    (m, input: Tokens | Tensor) => {
      let { tokens: x, grid } = m.downsample ? m.downsample(input as Tensor) : (input as Tokens);
      for (const block of m.blocks) x = block(x, grid);
      return toMap(m.norm(x), grid);
    },
  );

/**
 * PVT v2: "Improved Baselines with Pyramid Vision Transformer" (Wang et al. 2022, figures 1 and 2, table 1).
 * No position table: padded convolutions tell positions, so that any image size goes through the same weights.
 */
export function pvtV2(o: PvtV2Options): Network {
  check(o);
  const rates = stageRates(o.drop_path_rate, o.depths);
  return network(
    {
      patch_embed: overlapPatchEmbed(o.in_chans, o.embed_dims[0], 4),
      stages: o.embed_dims.map((_, i) => stage(o, i, rates[i])),
      global_pool: globalPool(o.global_pool, o.num_classes),
      head_drop: dropout(o.drop_rate),
      head: o.num_classes > 0 ? linear(o.embed_dims[3], o.num_classes, weights) : identity(),
    },
    {
      features: (m, x) => m.stages.reduce<Tokens | Tensor>((y, stage) => stage(y), m.patch_embed(x)) as Tensor, // [N, C4, H/32, W/32]
      head: (m, x) => m.head(m.head_drop(m.global_pool(x))),
      pyramid: (m, x) => {
        let y: Tokens | Tensor = m.patch_embed(x);
        return m.stages.map((stage) => (y = stage(y)));
      },
      featureInfo: o.embed_dims.map((num_chs, i) => ({ num_chs, reduction: 4 * 2 ** i, module: `stages.${i}` })),
    },
  );
}

function check(o: PvtV2Options): void {
  const { embed_dims, depths, num_heads, mlp_ratios, sr_ratios } = o;
  checkPerStage({ embed_dims, depths, num_heads, mlp_ratios, sr_ratios }, 4, ["mlp_ratios"]);
  if (o.linear) return;
  // Stage i has ceil(size / 4 / 2^i) tokens a side, and each patch of R x R must be whole.
  const smallest = Math.max(...sr_ratios.map((r, i) => (r > 1 ? (r - 1) * 4 * 2 ** i + 1 : 1)));
  const image = pair(o.img_size);
  if (Math.min(...image) < smallest)
    throw new TesseraeError(
      "usage",
      `image size ${image.join("x")} is too small for the reduction ratios ${sr_ratios}`,
      {
        hint: `The nearest that fits is ${image.map((s) => Math.max(s, smallest)).join("x")}`,
      },
    );
}

export default family<PvtV2Options>({
  paper: "Wang et al. 2022, PVT v2: Improved Baselines with Pyramid Vision Transformer, arXiv:2106.13797",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    embed_dims: [64, 128, 320, 512],
    depths: [3, 4, 6, 3],
    num_heads: [1, 2, 5, 8],
    mlp_ratios: [8, 8, 4, 4],
    sr_ratios: [8, 4, 2, 1],
    qkv_bias: true,
    linear: false,
    proj_drop_rate: 0,
    attn_drop_rate: 0,
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.9 },
  build: pvtV2,
  stage: (o, i) => ({
    ...(o.linear ? { pooled: `${POOL}x${POOL}` } : { reduction: o.sr_ratios[i] }),
    expansion: o.mlp_ratios[i],
  }),
  variants: {
    pvt_v2_b0: { embed_dims: [32, 64, 160, 256], depths: [2, 2, 2, 2] },
    pvt_v2_b1: { depths: [2, 2, 2, 2] },
    pvt_v2_b2: {},
    pvt_v2_b2_li: { linear: true },
    pvt_v2_b3: { depths: [3, 4, 18, 3] },
    pvt_v2_b4: { depths: [3, 8, 27, 3] },
    pvt_v2_b5: { depths: [3, 6, 40, 3], mlp_ratios: [4, 4, 4, 4] },
  },
});
