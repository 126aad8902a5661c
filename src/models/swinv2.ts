import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { attend, joinHeads, splitHeads } from "../nn/attention.ts";
import { dropout, dropPath } from "../nn/drop.ts";
import { constantInit, zeros } from "../nn/init.ts";
import { dense, linear } from "../nn/linear.ts";
import { mlp } from "../nn/mlp.ts";
import { module, parameter, tap } from "../nn/module.ts";
import { biasOfOffsets, offsetTable } from "../nn/position.ts";
import type { Layer } from "../nn/sequential.ts";
import type { Size } from "../nn/size.ts";
import { inWindows } from "../nn/window.ts";
import { family, IMAGENET_MEAN, IMAGENET_STD } from "./model.ts";
import {
  BASE,
  type BlockPlace,
  DEFAULTS,
  LARGE,
  layerNorm,
  neighbours,
  SMALL,
  type SwinOptions,
  swinHierarchy,
  TINY,
  weights,
  windowNote,
} from "./swin.ts";

export interface SwinV2Options extends SwinOptions {
  /** Window of each stage in the training that the weights come from, which scales the offsets; 0: the present one. */
  pretrained_window_sizes: readonly number[];
}

/** An offset in log space (eq. 4), about -1 to 1. */
const logOffset = (trainedIn: number) => (offset: number, size: number) => {
  const x = (8 * offset) / Math.max((trainedIn || size) - 1, 1);
  return (Math.sign(x) * Math.log2(Math.abs(x) + 1)) / Math.log2(8);
};

/** Continuous relative position bias [heads, L, L] (section 3.3): a small network of the offset, 16 sigmoid(·). */
const positionMlp = (window: Size, heads: number, trainedIn: number) =>
  module(
    {
      0: linear(2, 512, { ...weights, decay: false }),
      2: linear(512, heads, { ...weights, bias: false, decay: false }),
    },
    (m): Tensor => {
      const hidden = m[0](offsetTable(window, logOffset(trainedIn))).relu();
      return biasOfOffsets(m[2](hidden).sigmoid().mul(16), window);
    },
  );

/** x / |x| along the last axis. */
const unit = (x: Tensor): Tensor => x.mul(x.sumSquare([-1], true).max(1e-24).sqrt().reciprocal());

/** Scaled cosine attention (eq. 2): softmax(cos(q, k) / τ + bias) v, 1 / τ learned per head and at most 100. */
const cosineAttention = (o: SwinV2Options, { dim, heads, layout, stage }: BlockPlace) =>
  module(
    {
      logit_scale: parameter([heads, 1, 1], constantInit(Math.log(10)), { decay: false }),
      q_bias: o.qkv_bias ? parameter([dim], zeros) : undefined,
      v_bias: o.qkv_bias ? parameter([dim], zeros) : undefined,
      cpb_mlp: positionMlp(layout.window, heads, o.pretrained_window_sizes[stage]),
      qkv: linear(dim, 3 * dim, { ...weights, bias: false }),
      attn_drop: dropout(o.attn_drop_rate),
      proj: linear(dim, dim, weights),
      proj_drop: dropout(o.proj_drop_rate),
    },
    (m, x: Tensor, mask?: Tensor) => {
      const biases = [m.q_bias, undefined, m.v_bias];
      const [q, k, v] = m.qkv.weight.split(3, 0).map((w, i) => splitHeads(dense(x, w, biases[i]), heads));
      const scale = m.logit_scale.min(Math.log(100)).exp();
      const bias = tap("bias", m.cpb_mlp()); // [heads, L, L]
      const y = attend(unit(q).mul(scale), unit(k), v, {
        bias: mask ? bias.add(tap("mask", mask)) : bias,
        drop: m.attn_drop,
      });
      return m.proj_drop(m.proj(joinHeads(y)));
    },
  );

/** Post-norm block (figure 1): x + norm(attn(x)) in windows, then x + norm(mlp(x)); the norms begin at zero. */
const block = (o: SwinV2Options, place: BlockPlace): Layer => {
  const { dim, layout } = place;
  return module(
    {
      attn: cosineAttention(o, place),
      norm1: layerNorm(dim, zeros),
      drop_path1: dropPath(place.dropPath),
      mlp: mlp(dim, Math.floor(dim * o.mlp_ratio), { drop: o.proj_drop_rate, ...weights }),
      norm2: layerNorm(dim, zeros),
      drop_path2: dropPath(place.dropPath),
    },
    (m, x: Tensor) => {
      x = x.add(m.drop_path1(m.norm1(inWindows(x, layout, m.attn))));
      return tap("out", x.add(m.drop_path2(m.norm2(m.mlp(x)))));
    },
  );
};

/** 2 x 2 neighbours to one pixel of twice the channels, then the norm. */
const merge = (dim: number): Layer =>
  module(
    { reduction: linear(4 * dim, 2 * dim, { ...weights, bias: false }), norm: layerNorm(2 * dim) },
    (m, x: Tensor) => m.norm(m.reduction(neighbours(x))),
  );

function check({ pretrained_window_sizes: sizes, depths }: SwinV2Options): void {
  if (sizes.length !== depths.length || sizes.some((w) => !Number.isInteger(w) || w < 0))
    throw new TesseraeError("usage", `option pretrained_window_sizes takes ${depths.length} sides, 0 for none`);
}

const from12 = { pretrained_window_sizes: [12, 12, 12, 6] };
const w16 = { window_size: 16 };
const w12 = { window_size: 12, img_size: 192, num_classes: 21841 };
const w24 = { window_size: 24, img_size: 384, preprocessing: { crop_pct: 1 } };

/**
 * Swin Transformer V2: "Scaling Up Capacity and Resolution" (Liu et al. 2022, figure 1): norms after the attention
 * and the MLP, cosine attention, and a position bias that is a function of the offset, so that windows may grow.
 */
export default family<SwinV2Options>({
  paper: "Liu et al. 2022, Swin Transformer V2, arXiv:2111.09883",
  defaults: { ...DEFAULTS, img_size: 256, window_size: 8, pretrained_window_sizes: [0, 0, 0, 0] },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.9 },
  build: (o) => {
    check(o);
    return swinHierarchy(o, { block: (place) => block(o, place), merge });
  },
  stage: windowNote,
  variants: {
    swinv2_tiny_window8_256: TINY,
    swinv2_tiny_window16_256: { ...TINY, ...w16 },
    swinv2_small_window8_256: SMALL,
    swinv2_small_window16_256: { ...SMALL, ...w16 },
    swinv2_base_window8_256: BASE,
    swinv2_base_window16_256: { ...BASE, ...w16 },
    swinv2_base_window12_192: { ...BASE, ...w12 },
    swinv2_base_window12to16_192to256: { ...BASE, ...w16, ...from12 },
    swinv2_base_window12to24_192to384: { ...BASE, ...w24, ...from12 },
    swinv2_large_window12_192: { ...LARGE, ...w12 },
    swinv2_large_window12to16_192to256: { ...LARGE, ...w16, ...from12 },
    swinv2_large_window12to24_192to384: { ...LARGE, ...w24, ...from12 },
  },
});
