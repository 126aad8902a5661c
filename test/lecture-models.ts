import type { ModelOptions } from "../src/models/index.ts";

const SWIN = {
  img_size: 32,
  patch_size: 2,
  embed_dim: 8,
  depths: [2, 1],
  num_heads: [2, 2],
  window_size: 4,
  num_classes: 3,
};

export const MAXVIT = {
  img_size: 64,
  embed_dim: [8, 16],
  depths: [1, 1],
  stem_width: [4, 8],
  window_size: 4,
  dim_head: 4,
  num_classes: 3,
};

export const PVT = {
  img_size: 64,
  embed_dims: [8, 16, 16, 16],
  num_heads: [2, 2, 2, 2],
  depths: [1, 1, 1, 1],
  sr_ratios: [4, 2, 1, 1],
  mlp_ratios: [2, 2, 2, 2],
  num_classes: 3,
};

/** A small model of each lecture, and the steps that its page must have. */
export const SMALL: Readonly<Record<string, { options: ModelOptions; steps: string }>> = {
  vit_tiny_patch16_224: {
    options: { img_size: 24, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, num_classes: 3 },
    steps: "image patches flatten project position qkv scores values heads mlp layers lines field logits",
  },
  convmixer: {
    options: { img_size: 16, dim: 12, depth: 3, num_classes: 3 },
    steps: "image patches flatten project embed depthwise residual pointwise layers field logits",
  },
  swin_tiny_patch4_window7_224: {
    options: SWIN,
    steps: "image patches flatten project windows bias attend shift add merge stages logits",
  },
  swinv2_tiny_window8_256: {
    options: { ...SWIN, pretrained_window_sizes: [0, 0] },
    steps: "image patches flatten project windows bias attend shift add merge stages logits",
  },
  maxvit_pico_rw_256: {
    options: MAXVIT,
    steps: "image stem mbconv excite shortcut axes bias add stages logits",
  },
  pvt_tiny: { options: PVT, steps: "image embed pyramid reduce scores values add stages logits" },
  pvt_v2_b0: { options: PVT, steps: "image embed pyramid reduce scores values add stages logits" },
  resnet18: {
    options: { img_size: 64, channels: [4, 8, 8, 8], layers: [1, 1, 1, 1], num_classes: 3 },
    steps: "image stem block stages field pool logits",
  },
  mixer_s16_224: {
    options: { img_size: 24, patch_size: 8, embed_dim: 16, num_blocks: 3, num_classes: 3 },
    steps: "image patches flatten project table tokens residual channels layers logits",
  },
};

/** Images that are not square, for each. */
export const OBLONG: Readonly<Record<string, ModelOptions>> = {
  vit_tiny_patch16_224: { img_size: [16, 32] },
  convmixer: { img_size: [16, 24] },
  swin_tiny_patch4_window7_224: { img_size: [24, 36], window_size: [4, 3] },
  swinv2_tiny_window8_256: { img_size: [20, 44] },
  maxvit_pico_rw_256: { img_size: [64, 128] },
  pvt_tiny: { img_size: [64, 128] },
  pvt_v2_b0: { img_size: [72, 100] },
  resnet18: { img_size: [64, 100] },
  mixer_s16_224: { img_size: [16, 32] },
};
