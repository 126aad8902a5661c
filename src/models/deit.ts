import { family, IMAGENET_MEAN, IMAGENET_STD } from "./model.ts";
import { at384, BASE, DEFAULTS, HUGE, LARGE, SMALL, TINY, type VitOptions, vit } from "./vit.ts";

export interface DeitOptions extends VitOptions {
  /** The distillation token and its head. */
  distilled: boolean;
}

const MEDIUM = { embed_dim: 512, depth: 12, num_heads: 8 };

/** DeiT III: layer scale, and positions for the patches only. */
const three = { no_embed_class: true, init_values: 1e-6 };
const distilled = { distilled: true };

/**
 * DeiT is ViT trained on ImageNet-1k alone. A distilled one (figure 2) carries a second token with a head of its own,
 * taught by a convolutional teacher; its logits are the mean of both heads, and the taps "head" and "head_dist" give
 * each, for the distillation loss (eq. 3). DeiT III (Touvron et al. 2022, arXiv:2204.07118) adds layer scale and
 * leaves the class token without a position.
 */
export default family<DeitOptions>({
  paper:
    "Touvron et al. 2021, Training data-efficient image transformers & distillation through attention, arXiv:2012.12877",
  defaults: { ...DEFAULTS, distilled: false },
  preprocessing: { mean: IMAGENET_MEAN, std: IMAGENET_STD, interpolation: "bicubic", crop_pct: 0.9 },
  build: (o) => vit(o, { distilled: o.distilled }),
  variants: {
    deit_tiny_patch16_224: TINY,
    deit_small_patch16_224: SMALL,
    deit_base_patch16_224: BASE,
    deit_base_patch16_384: { ...BASE, ...at384 },
    deit_tiny_distilled_patch16_224: { ...TINY, ...distilled },
    deit_small_distilled_patch16_224: { ...SMALL, ...distilled },
    deit_base_distilled_patch16_224: { ...BASE, ...distilled },
    deit_base_distilled_patch16_384: { ...BASE, ...distilled, ...at384 },
    deit3_small_patch16_224: { ...SMALL, ...three },
    deit3_small_patch16_384: { ...SMALL, ...three, ...at384 },
    deit3_medium_patch16_224: { ...MEDIUM, ...three },
    deit3_base_patch16_224: { ...BASE, ...three },
    deit3_base_patch16_384: { ...BASE, ...three, ...at384 },
    deit3_large_patch16_224: { ...LARGE, ...three },
    deit3_large_patch16_384: { ...LARGE, ...three, ...at384 },
    deit3_huge_patch14_224: { ...HUGE, ...three, patch_size: 14 },
  },
});
