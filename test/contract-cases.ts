import type { ModelOptions } from "../src/models/index.ts";

export interface ContractCase {
  /** What of the family this one covers. */
  readonly covers: string;
  readonly model: string;
  /** A tiny configuration: it trains in well under a second. */
  readonly options: ModelOptions;
  /** Another image that the architecture takes. */
  readonly other: readonly [height: number, width: number];
  /** Options of stochastic layers that it has. */
  readonly drop?: ModelOptions;
  /** Parameters whose gradient is zero by nature. */
  readonly silent?: readonly string[];
}

const dropPath = { drop_rate: 0.2, drop_path_rate: 0.2 };
const dropTokens = { ...dropPath, proj_drop_rate: 0.1, attn_drop_rate: 0.1 };
const VIT = { img_size: 32, patch_size: 8, embed_dim: 24, depth: 2, num_heads: 3 };
const vit = (covers: string, options: ModelOptions = {}, model = "vit_tiny_patch16_224"): ContractCase => ({
  covers,
  model,
  options: { ...VIT, ...options },
  other: [16, 40],
  drop: { ...dropTokens, pos_drop_rate: 0.1 },
});

const hybrid = (covers: string, model: string, options: ModelOptions): ContractCase => ({
  ...vit(covers, { img_size: 64, ...options }, model),
  other: [32, 64],
});

const PVT = { embed_dims: [8, 16, 24, 32], depths: [1, 1, 1, 1], num_heads: [1, 2, 3, 4], mlp_ratios: [2, 2, 2, 2] };
const pvt = (covers: string, model: string, options: ModelOptions = {}): ContractCase => ({
  covers,
  model,
  options: { img_size: 64, ...PVT, ...options },
  other: [32, 64],
  drop: dropTokens,
});

const SWIN = { img_size: 64, embed_dim: 8, depths: [2, 2, 1, 1], num_heads: [1, 2, 2, 4], window_size: 4 };
const swin = (covers: string, model: string, options: ModelOptions = {}): ContractCase => ({
  covers,
  model,
  options: { ...SWIN, ...options },
  other: [64, 96],
  drop: dropTokens,
});

const MAXVIT = { img_size: 64, embed_dim: [8, 16], depths: [1, 1], stem_width: [8, 8], dim_head: 4, rel_pos_dim: 16 };
const maxvit = (covers: string, model: string, options: ModelOptions = {}): ContractCase => ({
  covers,
  model,
  options: { ...MAXVIT, ...options },
  other: [64, 128],
  drop: dropTokens,
});

const cnn = (covers: string, model: string, options: ModelOptions = {}): ContractCase => ({
  covers,
  model,
  options: { img_size: 32, ...options },
  other: [37, 45],
  drop: dropPath,
});
const VGG = { channels: [4, 4, 8, 8, 8], layers: [1, 1, 1, 1, 1], mlp_ratio: 0.01 };
const vgg = (covers: string, model: string): ContractCase => ({
  ...cnn(covers, model, VGG),
  drop: { drop_rate: 0.2 },
});
const mixer = (covers: string, model: string): ContractCase => ({
  covers,
  model,
  options: { img_size: 32, patch_size: 8, embed_dim: 24, num_blocks: 2 },
  other: [16, 40],
  drop: { ...dropPath, proj_drop_rate: 0.1 },
});
const mobile = (covers: string, model: string, options: ModelOptions = {}): ContractCase =>
  cnn(covers, model, { img_size: 64, channel_multiplier: 0.25, depth_multiplier: 0.4, ...options });
const RESNET = { channels: [8, 12, 16, 20], layers: [1, 1, 1, 1] };
const SASA = { channels: [16, 16, 32, 32], layers: [1, 1, 1, 1], num_heads: 4 };

/** One tiny configuration for every kind of block. */
export const CASES: readonly ContractCase[] = [
  vit("class token and learned table"),
  vit("average of the patches, no class token", { class_token: false, global_pool: "avg" }),
  vit("registers and layer scale", { init_values: 0.1 }, "vit_small_patch14_reg4_dinov2"),
  vit("fixed sines", { pos_embed: "sinusoidal" }),
  vit("2-D table", { pos_embed: "2d" }),
  {
    ...vit("relative bias", { pos_embed: "relative" }),
    // Only the class token of the last block is read, and its scores have no bias.
    silent: ["blocks.1.attn.rel_pos.relative_position_bias_table"],
  },
  vit("no positions", { pos_embed: "none", qkv_bias: false }),
  vit("distillation token", {}, "deit_tiny_distilled_patch16_224"),
  vit("DeiT III", {}, "deit3_small_patch16_224"),
  hybrid("ResNetV2 stem", "vit_tiny_r_s16_p8_224", {}),
  hybrid("ResNetV2 stages", "vit_small_r26_s32_224", { patch_size: 1, backbone_layers: [1, 1, 1, 1] }),
  swin("shifted windows", "swin_tiny_patch4_window7_224"),
  swin("cosine attention and continuous bias", "swinv2_tiny_window8_256"),
  maxvit("relative bias", "maxvit_nano_rw_256"),
  maxvit("TensorFlow's padding and bias", "maxvit_tiny_tf_224", { head_hidden_size: 16 }),
  maxvit("bias from an MLP", "maxvit_rmlp_pico_rw_256"),
  maxvit("grid attention alone, absolute table", "maxvit_nano_rw_256", {
    mbconv: false,
    block_attn: false,
    pos_embed: "absolute",
  }),
  {
    covers: "batch norm",
    model: "convmixer",
    options: { img_size: 16, dim: 12, depth: 2, num_classes: 10 },
    other: [15, 22],
    drop: { drop_rate: 0.2 },
  },
  {
    covers: "layer norm, no skip, ReLU",
    model: "convmixer",
    options: { img_size: 16, dim: 12, depth: 2, norm: "layer", residual: false, act: "relu" },
    other: [15, 22],
    drop: { drop_rate: 0.2 },
  },
  pvt("spatial reduction", "pvt_tiny"),
  pvt("no reduction", "pvt_tiny", { sr_ratios: [1, 1, 1, 1], img_size: 32 }),
  { ...pvt("spatial reduction", "pvt_v2_b0"), other: [47, 61] },
  { ...pvt("linear attention", "pvt_v2_b2_li"), other: [47, 61] },
  {
    covers: "position-sensitive attention",
    model: "axial26s",
    options: { img_size: 64, layers: [1, 1, 1, 1], scale: 0.125, groups: 4 },
    other: [32, 96],
    drop: dropPath,
  },
  cnn("local attention, convolution stem", "sasa_resnet26", SASA),
  { ...cnn("local attention, attention stem", "sasa_resnet26", { ...SASA, stem: "attention" }), other: [44, 36] },
  cnn("basic blocks", "resnet18", RESNET),
  cnn("bottlenecks", "resnet50", RESNET),
  cnn("deep stem, average shortcuts, dilation", "resnet50d", { ...RESNET, stem_width: 8, output_stride: 8 }),
  mobile("depthwise-separable", "mobilenetv1_100"),
  mobile("inverted residuals", "mobilenetv2_100"),
  mobile("squeeze-excite and hard-swish, large", "mobilenetv3_large_100"),
  mobile("squeeze-excite and hard-swish, small", "mobilenetv3_small_100"),
  mobile("minimal", "tf_mobilenetv3_small_minimal_100"),
  mobile("MBConv", "efficientnet_b0"),
  mobile("TensorFlow's padding", "tf_efficientnet_b0"),
  mobile("lite", "efficientnet_lite0"),
  mobile("fused MBConv", "tf_efficientnetv2_b0"),
  mobile("fused MBConv, rw", "efficientnetv2_rw_t"),
  mixer("token mixing", "mixer_b16_224"),
  mixer("gated", "gmixer_12_224"),
  {
    covers: "all pixels at once",
    model: "mlp",
    options: { img_size: 8, embed_dim: 24, depth: 2 },
    other: [5, 9],
    drop: { drop_rate: 0.2 },
  },
  vgg("plain convolutions", "vgg11"),
  vgg("batch norm", "vgg11_bn"),
];
