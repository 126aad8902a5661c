import type { Layout } from "./layout.ts";

// lucidrains' vit-pytorch: patches of (row, column, channel) are normalised before and after their projection; ours does
// so with patch_norm, and without qkv_bias.

export const vit: Layout = {
  name: "vit-pytorch",
  models: /^vit_/,
  detect: (names) => names.has("to_patch_embedding.2.weight") && names.has("transformer.layers.0.0.to_qkv.weight"),
  rules: [
    [/^cls_token$/, "cls_token"],
    [/^pos_embedding$/, "pos_embed"],
    [/^to_patch_embedding\.1\.(\w+)$/, "patch_embed.norm_in.$1"],
    [/^to_patch_embedding\.2\.(\w+)$/, "patch_embed.proj.$1"],
    [/^to_patch_embedding\.3\.(\w+)$/, "patch_embed.norm_out.$1"],
    [/^transformer\.layers\.(\d+)\.0\.norm\.(\w+)$/, "blocks.$1.norm1.$2"],
    [/^transformer\.layers\.(\d+)\.0\.to_qkv\.weight$/, "blocks.$1.attn.qkv.weight"],
    [/^transformer\.layers\.(\d+)\.0\.to_out\.0\.(\w+)$/, "blocks.$1.attn.proj.$2"],
    [/^transformer\.layers\.(\d+)\.1\.net\.0\.(\w+)$/, "blocks.$1.norm2.$2"],
    [/^transformer\.layers\.(\d+)\.1\.net\.1\.(\w+)$/, "blocks.$1.mlp.fc1.$2"],
    [/^transformer\.layers\.(\d+)\.1\.net\.4\.(\w+)$/, "blocks.$1.mlp.fc2.$2"],
    [/^transformer\.norm\.(\w+)$/, "norm.$1"],
    [/^mlp_head\.(\w+)$/, "head.$1"],
  ],
};
