import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { attend, joinHeads, splitHeads } from "../nn/attention.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { classifierHead } from "../nn/head.ts";
import { ones, truncNormal, zeros } from "../nn/init.ts";
import { linear, splitLinear } from "../nn/linear.ts";
import { mlp } from "../nn/mlp.ts";
import { type Module, module, tap } from "../nn/module.ts";
import { layerNorm as layerNormWith } from "../nn/norm.ts";
import { patchEmbed, patchGrid } from "../nn/patch-embed.ts";
import { relativePositionBias } from "../nn/position.ts";
import type { Layer } from "../nn/sequential.ts";
import { pair, type Size } from "../nn/size.ts";
import { inWindows, type WindowLayout, windowLayout } from "../nn/window.ts";
import {
  type CommonOptions,
  family,
  IMAGENET_MEAN,
  IMAGENET_STD,
  type Network,
  network,
  type StageNotes,
} from "./model.ts";
import { checkPerStage, stageRates } from "./stages.ts";

export interface SwinOptions extends CommonOptions {
  patch_size: number;
  /** Channels of the first stage; each later one has twice as many. */
  embed_dim: number;
  /** Blocks and heads of each stage. */
  depths: readonly number[];
  num_heads: readonly number[];
  /** Side of the windows, their height and width, or one side a stage. Where the map is smaller, so are they. */
  window_size: number | readonly number[];
  mlp_ratio: number;
  qkv_bias: boolean;
  proj_drop_rate: number;
  attn_drop_rate: number;
}

/** What a block needs to know of its place. */
export interface BlockPlace {
  dim: number;
  heads: number;
  stage: number;
  layout: WindowLayout;
  dropPath: number;
}

export const weights = { weightInit: truncNormal(0.02), biasInit: zeros };
export const layerNorm = (dim: number, weightInit = ones) => layerNormWith(dim, { epsilon: 1e-5, weightInit });

/** Attention within windows [N · windows, L, C] with relative position bias (eq. 4). */
const windowAttention = (o: SwinOptions, { dim, heads, layout }: BlockPlace) => {
  const position = relativePositionBias(layout.window, heads);
  return module(
    {
      ...position.children,
      qkv: splitLinear(dim, dim, 3, { bias: o.qkv_bias, ...weights }),
      attn_drop: dropout(o.attn_drop_rate),
      proj: linear(dim, dim, weights),
      proj_drop: dropout(o.proj_drop_rate),
    },
    (m, x: Tensor, mask?: Tensor) => {
      const [q, k, v] = m.qkv(x).map((t) => splitHeads(t, heads));
      const bias = tap("bias", position.forward(m)); // [heads, L, L]
      const y = attend(q.mul((dim / heads) ** -0.5), k, v, {
        bias: mask ? bias.add(tap("mask", mask)) : bias,
        drop: m.attn_drop,
      });
      return m.proj_drop(m.proj(joinHeads(y)));
    },
  );
};

/** Eq. 3: x + attn(norm(x)) in windows, shifted in every other block, then x + mlp(norm(x)); maps [N, H, W, C]. */
const block = (o: SwinOptions, place: BlockPlace): Layer => {
  const { dim, layout } = place;
  return module(
    {
      norm1: layerNorm(dim),
      attn: windowAttention(o, place),
      drop_path1: dropPath(place.dropPath),
      norm2: layerNorm(dim),
      mlp: mlp(dim, Math.floor(dim * o.mlp_ratio), { drop: o.proj_drop_rate, ...weights }),
      drop_path2: dropPath(place.dropPath),
    },
    (m, x: Tensor) => {
      x = x.add(m.drop_path1(inWindows(m.norm1(x), layout, m.attn)));
      return tap("out", x.add(m.drop_path2(m.mlp(m.norm2(x)))));
    },
  );
};

/** 2 x 2 neighbours, normalised, to one pixel of twice the channels (section 3.1). */
const merge = (dim: number): Layer =>
  module(
    { norm: layerNorm(4 * dim), reduction: linear(4 * dim, 2 * dim, { ...weights, bias: false }) },
    (m, x: Tensor) => m.reduction(m.norm(neighbours(x))),
  );

/** [N, H, W, C] to [N, H/2, W/2, 4C], a last odd row or column beside zeros. */
export function neighbours(x: Tensor): Tensor {
  const [n, height, width, c] = x.shape;
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  const even = x.pad([
    [0, 0],
    [0, height % 2],
    [0, width % 2],
    [0, 0],
  ]);
  const tiles = even.reshape([n, rows, 2, columns, 2, c]).transpose([0, 1, 3, 4, 2, 5]);
  return tiles.reshape([n, rows, columns, 4 * c]);
}

/** Where Swin and Swin V2 differ. */
export interface SwinPieces {
  block: (place: BlockPlace) => Layer;
  /** Halves the map, doubles the channels. */
  merge: (dim: number) => Layer;
}

/** The hierarchy of figure 3: patches, stages of blocks on maps [N, H, W, C] with a merge before all but the first. */
export function swinHierarchy(o: SwinOptions, pieces: SwinPieces): Network {
  const windows = check(o);
  const patch = pair(o.patch_size);
  const grid = patchGrid(pair(o.img_size), patch);
  const rates = stageRates(o.drop_path_rate, o.depths);
  const stages = o.depths.map((_, stage) => {
    const dim = o.embed_dim * 2 ** stage;
    const map = stageMap(grid, stage);
    const blocks = rates[stage].map((rate, i) => {
      const layout = windowLayout(map, windows[stage], i % 2 === 1);
      return pieces.block({ dim, heads: o.num_heads[stage], stage, layout, dropPath: rate });
    });
    const downsample = stage > 0 ? pieces.merge(dim / 2) : undefined;
    return module({ downsample: downsample as Module<[Tensor], Tensor> | undefined, blocks }, (m, x: Tensor) =>
      m.blocks.reduce((y, block) => block(y), m.downsample ? m.downsample(x) : x),
    );
  });
  const last = o.embed_dim * 2 ** (o.depths.length - 1);
  const embed = patchEmbed(o.in_chans, o.embed_dim, patch);
  return network(
    {
      patch_embed: module({ ...embed.children, norm: layerNorm(o.embed_dim) }, (m, x: Tensor) =>
        m.norm(embed.forward(m, x)).reshape([x.shape[0], ...grid, o.embed_dim]),
      ),
      layers: stages,
      norm: layerNorm(last),
      head: classifierHead(last, o.num_classes, {
        pool: o.global_pool,
        drop: o.drop_rate,
        channelsLast: true,
        ...weights,
      }),
    },
    {
      features: (m, x) => m.norm(m.layers.reduce((y, stage) => stage(y), m.patch_embed(x))), // [N, H/32, W/32, C]
      head: (m, x) => m.head(x),
      pyramid: (m, x) => {
        let y = m.patch_embed(x);
        return m.layers.map((stage) => {
          y = stage(y);
          return y.transpose([0, 3, 1, 2]);
        });
      },
      featureInfo: stages.map((_, i) => ({
        num_chs: o.embed_dim * 2 ** i,
        reduction: o.patch_size * 2 ** i,
        module: `layers.${i}`,
      })),
    },
  );
}

const stageMap = ([height, width]: Size, stage: number): Size => [
  Math.ceil(height / 2 ** stage),
  Math.ceil(width / 2 ** stage),
];

/** What the stage table says of a stage. */
export function windowNote(o: SwinOptions, stage: number): StageNotes {
  const grid = patchGrid(pair(o.img_size), pair(o.patch_size));
  return { window: windowLayout(stageMap(grid, stage), check(o)[stage], false).window.join("x") };
}

/** Window of each stage. */
function check(o: SwinOptions): Size[] {
  const stages = o.depths.length;
  const { depths, num_heads, window_size: size } = o;
  checkPerStage({ depths, num_heads }, stages);
  const windows = typeof size === "number" ? [size] : size;
  if (![1, 2, stages].includes(windows.length) || windows.some((w) => !Number.isInteger(w) || w < 1))
    throw new TesseraeError(
      "usage",
      `option window_size takes one side, a height and a width, or ${stages} sides, not ${JSON.stringify(size)}`,
    );
  num_heads.forEach((heads, i) => {
    if ((o.embed_dim * 2 ** i) % heads)
      throw new TesseraeError("usage", `${heads} heads do not divide the width ${o.embed_dim * 2 ** i} of stage ${i}`);
  });
  const same = windows.length < 3 && stages !== windows.length;
  return depths.map((_, i) => (same ? [windows[0], windows[windows.length - 1]] : [windows[i], windows[i]]));
}

export const DEFAULTS: SwinOptions = {
  num_classes: 1000,
  img_size: 224,
  in_chans: 3,
  global_pool: "avg",
  drop_rate: 0,
  drop_path_rate: 0,
  patch_size: 4,
  embed_dim: 96,
  depths: [2, 2, 6, 2],
  num_heads: [3, 6, 12, 24],
  window_size: 7,
  mlp_ratio: 4,
  qkv_bias: true,
  proj_drop_rate: 0,
  attn_drop_rate: 0,
};

export const TINY = {};
export const SMALL = { depths: [2, 2, 18, 2] };
export const BASE = { ...SMALL, embed_dim: 128, num_heads: [4, 8, 16, 32] };
export const LARGE = { ...SMALL, embed_dim: 192, num_heads: [6, 12, 24, 48] };
const w12at384 = { window_size: 12, img_size: 384, preprocessing: { crop_pct: 1 } };

/**
 * Swin Transformer: "Hierarchical Vision Transformer using Shifted Windows" (Liu et al. 2021, figure 3 and table 7).
 * The s3 variants are found by search (Chen et al. 2021, Searching the Search Space of Vision Transformer).
 */
export default family<SwinOptions>({
  paper: "Liu et al. 2021, Swin Transformer, arXiv:2103.14030",
  defaults: DEFAULTS,
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.9 },
  build: (o) => swinHierarchy(o, { block: (place) => block(o, place), merge }),
  stage: windowNote,
  variants: {
    swin_tiny_patch4_window7_224: TINY,
    swin_small_patch4_window7_224: SMALL,
    swin_base_patch4_window7_224: BASE,
    swin_base_patch4_window12_384: { ...BASE, ...w12at384 },
    swin_large_patch4_window7_224: LARGE,
    swin_large_patch4_window12_384: { ...LARGE, ...w12at384 },
    swin_s3_tiny_224: { window_size: [7, 7, 14, 7] },
    swin_s3_small_224: { ...SMALL, window_size: [14, 14, 14, 7] },
    swin_s3_base_224: { depths: [2, 2, 30, 2], window_size: [7, 7, 14, 7] },
  },
});
