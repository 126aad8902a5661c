import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { attention } from "../nn/attention.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { normal, truncNormal, zeros } from "../nn/init.ts";
import { layerScale } from "../nn/layer-scale.ts";
import { linear } from "../nn/linear.ts";
import { mlp } from "../nn/mlp.ts";
import { identity, type Module, module, parameter, tap } from "../nn/module.ts";
import { layerNorm } from "../nn/norm.ts";
import { normPatchEmbed, patchEmbed, patchGrid } from "../nn/patch-embed.ts";
import { gridPosition, relativePositionBias, sinusoidalPosition } from "../nn/position.ts";
import { pair, type Size } from "../nn/size.ts";
import {
  type CommonOptions,
  family,
  HALF,
  IMAGENET_MEAN,
  IMAGENET_STD,
  linearRates,
  type Network,
  network,
  type VariantSpec,
} from "./model.ts";

export interface VitOptions extends CommonOptions {
  patch_size: number | Size;
  embed_dim: number;
  depth: number;
  num_heads: number;
  mlp_ratio: number;
  qkv_bias: boolean;
  class_token: boolean;
  reg_tokens: number;
  /** Prefix tokens get no position: the table covers the patches only. */
  no_embed_class: boolean;
  /** Initial value of layer scale; null: none. */
  init_values: number | null;
  /** Position encoding, as the paper ablates it (appendix D.4): 1-D table, none, fixed sines, 2-D table, relative bias. */
  pos_embed: "learn" | "none" | "sinusoidal" | "2d" | "relative";
  /** Norms of the flattened patches before and after their projection, as in vit-pytorch. */
  patch_norm: boolean;
  /** Epsilon of the layer norms. */
  norm_eps: number;
  pos_drop_rate: number;
  proj_drop_rate: number;
  attn_drop_rate: number;
}

/** What relatives of ViT replace or add. */
export interface VitParts {
  /** Tokens from something else than patches of the image: a hybrid's backbone. */
  tokens?: TokenSource;
  /** A second prefix token with a head of its own, which a teacher teaches (DeiT). */
  distilled?: boolean;
}

export interface TokenSource {
  /** [N, C, H, W] to [N, L, D]. */
  embed: Module<[x: Tensor], Tensor>;
  /** L = height x width. */
  grid: Size;
  /** Pixels per token and side. */
  reduction: number;
}

const weights = { weightInit: truncNormal(0.02), biasInit: zeros };

/** Pre-norm block (eqs. 2 and 3): x + attn(norm(x)), then x + mlp(norm(x)). */
export const block = (o: VitOptions, dropPathRate: number, scoreBias?: Module<[], Tensor>) =>
  module(
    {
      norm1: layerNorm(o.embed_dim, { epsilon: o.norm_eps }),
      attn: attention(o.embed_dim, o.num_heads, {
        qkvBias: o.qkv_bias,
        attnDrop: o.attn_drop_rate,
        projDrop: o.proj_drop_rate,
        scoreBias,
        ...weights,
      }),
      ls1: layerScale(o.embed_dim, o.init_values),
      drop_path1: dropPath(dropPathRate),
      norm2: layerNorm(o.embed_dim, { epsilon: o.norm_eps }),
      mlp: mlp(o.embed_dim, Math.floor(o.embed_dim * o.mlp_ratio), { drop: o.proj_drop_rate, ...weights }),
      ls2: layerScale(o.embed_dim, o.init_values),
      drop_path2: dropPath(dropPathRate),
    },
    (m, x: Tensor) => {
      x = x.add(m.drop_path1(m.ls1(m.attn(m.norm1(x)))));
      return tap("out", x.add(m.drop_path2(m.ls2(m.mlp(m.norm2(x))))));
    },
  );

/** The learned, fixed or absent table that is added to the tokens. */
function positionSlots(o: VitOptions, grid: Size, prefix: number) {
  const places = { size: grid, prefix: o.no_embed_class ? 0 : prefix };
  const length = grid[0] * grid[1] + places.prefix;
  const table = () => parameter([1, length, o.embed_dim], truncNormal(0.02), { decay: false, grid: places });
  return {
    pos_embed: o.pos_embed === "learn" ? table() : undefined,
    pos_grid: o.pos_embed === "2d" ? gridPosition(grid, o.embed_dim) : undefined,
    pos_fixed: o.pos_embed === "sinusoidal" ? sinusoidalPosition(length, o.embed_dim) : undefined,
  };
}

/**
 * Vision Transformer: "An Image is Worth 16x16 Words" (Dosovitskiy et al. 2021, figure 1 and table 1), with
 * DINOv2's layer scale and registers (Darcet et al. 2024).
 */
export function vit(o: VitOptions, { tokens = patchesOf(o), distilled = false }: VitParts = {}): Network {
  const { grid, reduction } = tokens;
  const [dim, patches] = [o.embed_dim, grid[0] * grid[1]];
  const prefix = Number(o.class_token) + o.reg_tokens + Number(distilled);
  check(o, distilled);
  const token = (n: number) => parameter([1, n, dim], normal(1e-6), { decay: false });
  const relative = () => (o.pos_embed === "relative" ? relativePositionBias(grid, o.num_heads, prefix) : undefined);
  const pooled = o.global_pool === "avg";
  const classifier = () => (o.num_classes > 0 ? linear(dim, o.num_classes, weights) : identity());
  return network(
    {
      cls_token: o.class_token ? token(1) : undefined,
      reg_token: o.reg_tokens ? token(o.reg_tokens) : undefined,
      ...positionSlots(o, grid, prefix),
      dist_token: distilled ? parameter([1, 1, dim], truncNormal(0.02), { decay: false }) : undefined,
      patch_embed: tokens.embed,
      pos_drop: dropout(o.pos_drop_rate),
      blocks: linearRates(o.drop_path_rate, o.depth).map((rate) => block(o, rate, relative())),
      norm: pooled ? identity() : layerNorm(dim, { epsilon: o.norm_eps }),
      fc_norm: pooled ? layerNorm(dim, { epsilon: o.norm_eps }) : identity(),
      head_drop: dropout(o.drop_rate),
      head: classifier(),
      head_dist: distilled ? classifier() : undefined,
    },
    {
      features: (m, x) => {
        x = embed(m.patch_embed(x), m, prefix);
        x = m.pos_drop(x);
        for (const block of m.blocks) x = block(x);
        return m.norm(x); // [N, prefix + H·W/P², D]
      },
      head: (m, x) => {
        const token = (i: number) => x.slice(1, i, i + 1).squeeze(1);
        if (m.head_dist) {
          const [a, b] = [tap("head", m.head(m.head_drop(token(0)))), m.head_dist(m.head_drop(token(1)))];
          return a.add(tap("head_dist", b)).mul(0.5);
        }
        const pooledTokens = pooled ? x.slice(1, prefix, prefix + patches).mean([1]) : token(0);
        return m.head(m.head_drop(m.fc_norm(o.global_pool === "" ? x : pooledTokens)));
      },
      pyramid: (m, x) => {
        x = embed(m.patch_embed(x), m, prefix);
        return m.blocks.map((block) => {
          x = block(x);
          const map = x.slice(1, prefix, prefix + patches).transpose([0, 2, 1]);
          return map.reshape([map.shape[0], dim, ...grid]);
        });
      },
      featureInfo: Array.from({ length: o.depth }, (_, i) => ({
        num_chs: dim,
        reduction,
        module: `blocks.${i}`,
      })),
    },
  );
}

function patchesOf(o: VitOptions): TokenSource {
  const patch = pair(o.patch_size);
  return {
    embed: o.patch_norm ? normPatchEmbed(o.in_chans, o.embed_dim, patch) : patchEmbed(o.in_chans, o.embed_dim, patch),
    grid: patchGrid(pair(o.img_size), patch),
    reduction: patch[0],
  };
}

/** What eq. 1 adds to the patches. */
interface Embedding {
  cls_token?: Tensor;
  dist_token?: Tensor;
  reg_token?: Tensor;
  pos_embed?: Tensor;
  pos_grid?: () => Tensor;
  pos_fixed?: () => Tensor;
}

/**
 * z0 = [x_class; patches] + E_pos (eq. 1). Tokens and table meet first, [1, prefix + L, D], so that the batch is
 * padded by `prefix` rows and added to once.
 */
function embed(patches: Tensor, m: Embedding, prefix: number): Tensor {
  const position = m.pos_embed ?? m.pos_grid?.() ?? m.pos_fixed?.();
  const length = patches.shape[1] + prefix;
  const rows = (t: Tensor, before: number) =>
    t.pad([
      [0, 0],
      [before, length - before - t.shape[1]],
      [0, 0],
    ]);
  const parts: Tensor[] = [];
  if (position) parts.push(rows(position, length - position.shape[1]));
  if (m.cls_token) parts.push(rows(m.cls_token, 0));
  if (m.dist_token) parts.push(rows(m.dist_token, 1));
  if (m.reg_token) parts.push(rows(m.reg_token, m.cls_token ? 1 : 0));
  const x = rows(patches, prefix);
  return parts.length ? x.add(parts.reduce((a, b) => a.add(b))) : x;
}

function check(o: VitOptions, distilled: boolean): void {
  const usage = (what: string, hint?: string) => new TesseraeError("usage", what, { hint });
  if (o.global_pool === "max") throw usage("a ViT pools by token or avg");
  if (o.global_pool === "token" && !o.class_token)
    throw usage("global_pool=token needs the class token", "Set global_pool=avg, or class_token=true");
  if (distilled && (o.global_pool !== "token" || o.reg_tokens > 0))
    throw usage("a distilled ViT reads its class and distillation tokens: global_pool=token, reg_tokens=0");
  if (o.pos_embed === "2d" && o.embed_dim % 2)
    throw usage(`a 2-D position table needs an even width, not ${o.embed_dim}`);
}

export const TINY = { embed_dim: 192, depth: 12, num_heads: 3 };
export const SMALL = { embed_dim: 384, depth: 12, num_heads: 6 };
export const BASE = { embed_dim: 768, depth: 12, num_heads: 12 };
export const LARGE = { embed_dim: 1024, depth: 24, num_heads: 16 };
export const HUGE = { embed_dim: 1280, depth: 32, num_heads: 16 };

export const DEFAULTS: VitOptions = {
  num_classes: 1000,
  img_size: 224,
  in_chans: 3,
  global_pool: "token",
  drop_rate: 0,
  drop_path_rate: 0,
  patch_size: 16,
  ...BASE,
  mlp_ratio: 4,
  qkv_bias: true,
  class_token: true,
  reg_tokens: 0,
  no_embed_class: false,
  init_values: null,
  pos_embed: "learn",
  patch_norm: false,
  norm_eps: 1e-6,
  pos_drop_rate: 0,
  proj_drop_rate: 0,
  attn_drop_rate: 0,
};

const IMAGENET = { mean: IMAGENET_MEAN, std: IMAGENET_STD };
export const at384 = { img_size: 384, preprocessing: { crop_pct: 1 } };
const dinov2: VariantSpec<VitOptions> = {
  img_size: 518,
  patch_size: 14,
  init_values: 1e-5,
  num_classes: 0,
  preprocessing: { ...IMAGENET, crop_pct: 1 },
};
const registers = { ...dinov2, reg_tokens: 4, no_embed_class: true };

// Variants without classes are those whose published weights (timm's default tag) have no classifier.
export default family<VitOptions>({
  paper: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, arXiv:2010.11929",
  defaults: DEFAULTS,
  preprocessing: { mean: HALF, std: HALF, interpolation: "bicubic", crop_pct: 0.9 },
  build: (o) => vit(o),
  variants: {
    vit_tiny_patch16_224: TINY,
    vit_tiny_patch16_384: { ...TINY, ...at384 },
    vit_small_patch32_224: { ...SMALL, patch_size: 32 },
    vit_small_patch32_384: { ...SMALL, patch_size: 32, ...at384 },
    vit_small_patch16_224: SMALL,
    vit_small_patch16_384: { ...SMALL, ...at384 },
    vit_small_patch8_224: { ...SMALL, patch_size: 8, num_classes: 0, preprocessing: IMAGENET },
    vit_base_patch32_224: { patch_size: 32 },
    vit_base_patch32_384: { patch_size: 32, ...at384 },
    vit_base_patch16_224: {},
    vit_base_patch16_384: at384,
    vit_base_patch8_224: { patch_size: 8 },
    vit_large_patch32_224: { ...LARGE, patch_size: 32, num_classes: 0 },
    vit_large_patch32_384: { ...LARGE, patch_size: 32, ...at384 },
    vit_large_patch16_224: LARGE,
    vit_large_patch16_384: { ...LARGE, ...at384 },
    vit_large_patch14_224: { ...LARGE, patch_size: 14 },
    vit_huge_patch14_224: { ...HUGE, patch_size: 14, num_classes: 0 },
    vit_small_patch14_dinov2: { ...SMALL, ...dinov2 },
    vit_base_patch14_dinov2: { ...BASE, ...dinov2 },
    vit_large_patch14_dinov2: { ...LARGE, ...dinov2 },
    vit_small_patch14_reg4_dinov2: { ...SMALL, ...registers },
    vit_base_patch14_reg4_dinov2: { ...BASE, ...registers },
    vit_large_patch14_reg4_dinov2: { ...LARGE, ...registers },
  },
});
