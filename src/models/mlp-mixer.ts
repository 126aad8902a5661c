import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Activation } from "../nn/activation.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { constantInit, lecunNormal, normal, xavierUniform, zeros } from "../nn/init.ts";
import { linear } from "../nn/linear.ts";
import { gluMlp, mlp } from "../nn/mlp.ts";
import { identity, module, tap } from "../nn/module.ts";
import { layerNorm } from "../nn/norm.ts";
import { patchEmbed, patchGrid } from "../nn/patch-embed.ts";
import { pair, type Size } from "../nn/size.ts";
import { toMap } from "../nn/tokens.ts";
import { type CommonOptions, family, HALF, IMAGENET_MEAN, IMAGENET_STD, type Network, network } from "./model.ts";

export interface MixerOptions extends CommonOptions {
  patch_size: number | Size;
  embed_dim: number;
  num_blocks: number;
  /** Hidden widths of the token- and the channel-mixing MLP, D_S and D_C, over the width (table 1). */
  mlp_ratio: readonly [tokens: number, channels: number];
  /** glu: half of the hidden width gates the other (timm's gMixer). */
  mlp_layer: "mlp" | "glu";
  act_layer: Activation;
  /** Dropout inside the MLPs. */
  proj_drop_rate: number;
  /** Start the classifier's bias at -log(classes). */
  nlhb: boolean;
}

/** U = X + W2 σ(W1 norm(X)) over tokens, Y = U + W4 σ(W3 norm(U)) over channels (eq. 1). */
function block(o: MixerOptions, length: number) {
  const make = o.mlp_layer === "glu" ? gluMlp : mlp;
  const options = {
    act: o.act_layer,
    drop: o.proj_drop_rate,
    weightInit: xavierUniform,
    biasInit: normal(1e-6),
  };
  const [tokens, channels] = o.mlp_ratio.map((ratio) => Math.floor(ratio * o.embed_dim));
  return module(
    {
      norm1: layerNorm(o.embed_dim),
      mlp_tokens: make(length, tokens, options),
      drop_path1: dropPath(o.drop_path_rate),
      norm2: layerNorm(o.embed_dim),
      mlp_channels: make(o.embed_dim, channels, options),
      drop_path2: dropPath(o.drop_path_rate),
    },
    (m, x: Tensor) => {
      x = x.add(m.drop_path1(m.mlp_tokens(m.norm1(x).mT()).mT()));
      return tap("out", x.add(m.drop_path2(m.mlp_channels(m.norm2(x)))));
    },
  );
}

/**
 * MLP-Mixer: "An all-MLP Architecture for Vision" (Tolstikhin et al. 2021, figure 1 and table 1). The token-mixing
 * weights belong to one number of patches, so another image size is another model.
 */
export function mlpMixer(o: MixerOptions): Network {
  check(o);
  const patch = pair(o.patch_size);
  const grid = patchGrid(pair(o.img_size), patch);
  const dim = o.embed_dim;
  return network(
    {
      stem: patchEmbed(o.in_chans, dim, patch, { weightInit: lecunNormal, biasInit: zeros }),
      blocks: Array.from({ length: o.num_blocks }, () => block(o, grid[0] * grid[1])),
      norm: layerNorm(dim),
      head_drop: dropout(o.drop_rate),
      head:
        o.num_classes > 0
          ? linear(dim, o.num_classes, {
              weightInit: zeros,
              biasInit: constantInit(o.nlhb ? -Math.log(o.num_classes) : 0),
            })
          : identity(),
    },
    {
      features: (m, x) => m.norm(m.blocks.reduce((y, block) => block(y), m.stem(x))), // [N, H·W/P², D]
      head: (m, x) => m.head(m.head_drop(o.global_pool === "" ? x : x.mean([1]))),
      pyramid: (m, x) => {
        x = m.stem(x);
        return m.blocks.map((block) => {
          x = block(x);
          return toMap(x, grid);
        });
      },
      featureInfo: Array.from({ length: o.num_blocks }, (_, i) => ({
        num_chs: dim,
        reduction: patch[0],
        module: `blocks.${i}`,
      })),
    },
  );
}

function check(o: MixerOptions): void {
  const usage = (what: string) => new TesseraeError("usage", what);
  if (o.global_pool !== "avg" && o.global_pool !== "") throw usage("an MLP-Mixer pools by avg, or not at all");
  if (!Number.isInteger(o.num_blocks) || o.num_blocks < 1)
    throw usage(`option num_blocks takes a positive whole number, not ${JSON.stringify(o.num_blocks)}`);
  if (o.mlp_layer !== "mlp" && o.mlp_layer !== "glu")
    throw usage(`mlp_layer is mlp or glu, not ${JSON.stringify(o.mlp_layer)}`);
  const hidden = o.mlp_ratio.map((ratio) => Math.floor(ratio * o.embed_dim));
  const even = o.mlp_layer === "mlp" || hidden.every((h) => h % 2 === 0);
  if (hidden.length !== 2 || hidden.some((h) => !(h >= 1)) || !even)
    throw usage(
      `mlp_ratio takes two ratios that give ${o.mlp_layer} layers a width, not ${JSON.stringify(o.mlp_ratio)}`,
    );
}

const SMALL = { embed_dim: 512, num_blocks: 8 };
const BASE = { embed_dim: 768, num_blocks: 12 };
const LARGE = { embed_dim: 1024, num_blocks: 24 };
const gMixer = {
  embed_dim: 384,
  mlp_ratio: [1, 4],
  mlp_layer: "glu",
  act_layer: "silu",
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD },
} as const;

export default family<MixerOptions>({
  paper: "Tolstikhin et al. 2021, MLP-Mixer: An all-MLP Architecture for Vision, arXiv:2105.01601",
  defaults: {
    num_classes: 1000,
    img_size: 224,
    in_chans: 3,
    global_pool: "avg",
    drop_rate: 0,
    drop_path_rate: 0,
    patch_size: 16,
    ...BASE,
    mlp_ratio: [0.5, 4],
    mlp_layer: "mlp",
    act_layer: "gelu",
    proj_drop_rate: 0,
    nlhb: false,
  },
  preprocessing: { mean: HALF, std: HALF, interpolation: "bicubic", crop_pct: 0.875 },
  build: mlpMixer,
  variants: {
    mixer_s32_224: { ...SMALL, patch_size: 32 },
    mixer_s16_224: SMALL,
    mixer_b32_224: { patch_size: 32 },
    mixer_b16_224: {},
    mixer_l32_224: { ...LARGE, patch_size: 32 },
    mixer_l16_224: LARGE,
    gmixer_12_224: { ...gMixer, num_blocks: 12 },
    gmixer_24_224: { ...gMixer, num_blocks: 24 },
  },
});
