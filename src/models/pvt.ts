import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { conv2d } from "../nn/conv.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { truncNormal, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { mlp } from "../nn/mlp.ts";
import { type BoundModule, identity, module, parameter, tap } from "../nn/module.ts";
import { layerNorm } from "../nn/norm.ts";
import { pair, type Size } from "../nn/size.ts";
import { srAttention } from "../nn/sr-attention.ts";
import { toMap, toTokens } from "../nn/tokens.ts";
import { type CommonOptions, family, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";
import { checkMultiple, checkPerStage, stageRates } from "./stages.ts";

export interface PvtOptions extends CommonOptions {
  /** Patch of the first stage; later stages merge 2 x 2. */
  patch_size: number;
  /** One number a stage: widths C, blocks L, heads N, MLP expansions E and reduction ratios R of table 1. */
  embed_dims: readonly number[];
  depths: readonly number[];
  num_heads: readonly number[];
  mlp_ratios: readonly number[];
  /** 1: every token is a key and a value. The last stage, which holds the class token, takes 1 only. */
  sr_ratios: readonly number[];
  qkv_bias: boolean;
  pos_drop_rate: number;
  proj_drop_rate: number;
  attn_drop_rate: number;
}

const STAGES = [0, 1, 2, 3] as const;
const weights = { weightInit: truncNormal(0.02), biasInit: zeros };

/** [N, C, H, W] to tokens [N, H/P · W/P, D]: flattened patches, projected and normalised. */
const patchEmbed = (inChans: number, dim: number, patch: number) =>
  module(
    {
      proj: conv2d(inChans, dim, patch, { stride: patch, padding: 0 }),
      norm: layerNorm(dim, { epsilon: 1e-5 }),
    },
    (m, x: Tensor) => m.norm(toTokens(m.proj(x))),
  );

/** Pre-norm block of stage i: x + sra(norm(x)), then x + mlp(norm(x)). */
const block = (o: PvtOptions, i: number, dropPathRate: number) => {
  const dim = o.embed_dims[i];
  return module(
    {
      norm1: layerNorm(dim),
      attn: srAttention(dim, o.num_heads[i], {
        srRatio: o.sr_ratios[i],
        qkvBias: o.qkv_bias,
        attnDrop: o.attn_drop_rate,
        projDrop: o.proj_drop_rate,
        ...weights,
      }),
      drop_path: dropPath(dropPathRate),
      norm2: layerNorm(dim),
      mlp: mlp(dim, Math.floor(dim * o.mlp_ratios[i]), { drop: o.proj_drop_rate, ...weights }),
    },
    (m, x: Tensor, grid: Size) => {
      x = x.add(m.drop_path(m.attn(m.norm1(x), grid)));
      return tap("out", x.add(m.drop_path(m.mlp(m.norm2(x)))));
    },
  );
};

/**
 * Pyramid Vision Transformer: "A Versatile Backbone for Dense Prediction without Convolutions" (Wang et al. 2021,
 * figure 3 and table 1), in the layout of the authors' code. Four stages at 1/4, 1/8, 1/16 and 1/32 of the image, each
 * with a position table of its own; the class token joins in the last.
 */
export function pvt(o: PvtOptions): Network {
  check(o);
  const grids = STAGES.map((i): Size => {
    const [height, width] = pair(o.img_size);
    return [height / (o.patch_size * 2 ** i), width / (o.patch_size * 2 ** i)];
  });
  const rates = stageRates(o.drop_path_rate, o.depths);
  const last = o.embed_dims[3];
  const table = (i: number) =>
    parameter([1, grids[i][0] * grids[i][1] + Number(i === 3), o.embed_dims[i]], truncNormal(0.02), {
      grid: { size: grids[i], prefix: Number(i === 3) },
    });
  const patches = (i: number) =>
    patchEmbed(i ? o.embed_dims[i - 1] : o.in_chans, o.embed_dims[i], i ? 2 : o.patch_size);
  const blocks = (i: number) => rates[i].map((rate) => block(o, i, rate));
  const children = {
    pos_embed1: table(0),
    pos_embed2: table(1),
    pos_embed3: table(2),
    pos_embed4: table(3),
    cls_token: parameter([1, 1, last], truncNormal(0.02), { decay: false }),
    pos_drop: dropout(o.pos_drop_rate),
    patch_embed1: patches(0),
    block1: blocks(0),
    patch_embed2: patches(1),
    block2: blocks(1),
    patch_embed3: patches(2),
    block3: blocks(2),
    patch_embed4: patches(3),
    block4: blocks(3),
    norm: layerNorm(last),
    head_drop: dropout(o.drop_rate),
    head: o.num_classes > 0 ? linear(last, o.num_classes, weights) : identity(),
  };
  type Self = BoundModule<[x: Tensor], Tensor, typeof children>;

  /** Tokens after each stage, [N, H·W, C]; the last holds the class token in front. */
  const stages = (m: Self, image: Tensor): Tensor[] => {
    const tables = [m.pos_embed1, m.pos_embed2, m.pos_embed3, m.pos_embed4];
    const embeds = [m.patch_embed1, m.patch_embed2, m.patch_embed3, m.patch_embed4];
    const bodies = [m.block1, m.block2, m.block3, m.block4];
    let map = image;
    return STAGES.map((i) => {
      let x = embeds[i](map);
      x = m.pos_drop(i < 3 ? x.add(tables[i]) : withClassToken(x, m.cls_token, tables[i]));
      for (const block of bodies[i]) x = block(x, grids[i]);
      if (i < 3) map = toMap(x, grids[i]);
      return x;
    });
  };
  return network(children, {
    features: (m, x) => m.norm(stages(m as Self, x)[3]), // [N, 1 + H·W / 32², C4]
    head: (m, x) => {
      const pooled = () =>
        o.global_pool === "avg" ? x.slice(1, 1, x.shape[1]).mean([1]) : x.slice(1, 0, 1).squeeze(1);
      return m.head(m.head_drop(o.global_pool === "" ? x : pooled()));
    },
    pyramid: (m, x) => stages(m as Self, x).map((t, i) => toMap(i < 3 ? t : t.slice(1, 1, t.shape[1]), grids[i])),
    featureInfo: STAGES.map((i) => ({
      num_chs: o.embed_dims[i],
      reduction: o.patch_size * 2 ** i,
      module: `block${i + 1}`,
    })),
  });
}

/** [class; patches] + table; the batch is padded by a row, and everything constant over it is added at once. */
function withClassToken(patches: Tensor, token: Tensor, table: Tensor): Tensor {
  const length = table.shape[1];
  const rows = (t: Tensor, before: number, after: number) =>
    t.pad([
      [0, 0],
      [before, after],
      [0, 0],
    ]);
  return rows(patches, 1, 0).add(table.add(rows(token, 0, length - 1)));
}

function check(o: PvtOptions): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  const { embed_dims, depths, num_heads, mlp_ratios, sr_ratios } = o;
  checkPerStage({ embed_dims, depths, num_heads, mlp_ratios, sr_ratios }, 4, ["mlp_ratios"]);
  if (sr_ratios[3] !== 1)
    throw usage(`the last stage takes no reduction ratio but 1, not ${sr_ratios[3]}`, "It holds the class token");
  if (o.global_pool === "max") throw usage("a PVT pools by token or avg");
  if (o.global_pool === "" && o.num_classes > 0)
    throw usage("without pooling there is no classifier", "Set num_classes=0, or global_pool=token");
  const image = pair(o.img_size);
  checkMultiple(image, o.patch_size * 8);
  for (const i of STAGES) {
    const side = Math.min(...image) / (o.patch_size * 2 ** i);
    if (side < sr_ratios[i])
      throw usage(`stage ${i + 1} has ${side} tokens a side, too few for a reduction ratio of ${sr_ratios[i]}`);
  }
}

export default family<PvtOptions>({
  paper: "Wang et al. 2021, Pyramid Vision Transformer, arXiv:2102.12122",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "token",
    drop_rate: 0,
    drop_path_rate: 0,
    patch_size: 4,
    embed_dims: [64, 128, 320, 512],
    depths: [3, 4, 6, 3],
    num_heads: [1, 2, 5, 8],
    mlp_ratios: [8, 8, 4, 4],
    sr_ratios: [8, 4, 2, 1],
    qkv_bias: true,
    pos_drop_rate: 0,
    proj_drop_rate: 0,
    attn_drop_rate: 0,
  },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.9 },
  build: pvt,
  stage: (o, i) => ({ reduction: o.sr_ratios[i], expansion: o.mlp_ratios[i] }),
  variants: {
    pvt_tiny: { depths: [2, 2, 2, 2] },
    pvt_small: {},
    pvt_medium: { depths: [3, 4, 18, 3] },
    pvt_large: { depths: [3, 8, 27, 3] },
  },
});
