import type { Layout } from "./layout.ts";

// What papers' own repositories publish. PVT's is named as ours is; so are DeiT's and DINOv2's.

const blocksOf = (names: ReadonlySet<string>) => [...names].filter((n) => /^\d+\.0\.fn\.0\.weight$/.test(n)).length;

export const convMixer: Layout = {
  name: "the ConvMixer repository",
  models: /^convmixer_/,
  detect: (names) => names.has("0.weight") && names.has("3.0.fn.0.weight"),
  rules: [
    [/^([02])\.(\w+)$/, "stem.$1.$2"],
    [/^(\d+)\.(0\.fn\.\d|\d)\.(\w+)$/, ([i, part, kind]) => `blocks.${Number(i) - 3}.${part}.${kind}`],
    // After the stem's three and the blocks: pooling, flattening, the classifier.
    [/^(\d+)\.(\w+)$/, ([i, kind], names) => (Number(i) === blocksOf(names) + 5 ? `head.${kind}` : null)],
  ],
};

export const pvtV2: Layout = {
  name: "the PVT repository, version 2",
  models: /^pvt_v2_/,
  detect: (names) => names.has("patch_embed1.proj.weight") && names.has("block1.0.mlp.dwconv.dwconv.weight"),
  rules: [
    [/^patch_embed1\.(.*)$/, "patch_embed.$1"],
    [/^patch_embed([234])\.(.*)$/, ([i, rest]) => `stages.${Number(i) - 1}.downsample.${rest}`],
    [
      /^block(\d)\.(\d+)\.(.*)$/,
      ([i, j, rest]) => `stages.${Number(i) - 1}.blocks.${j}.${rest.replace("dwconv.dwconv", "dwconv")}`,
    ],
    [/^norm(\d)\.(\w+)$/, ([i, kind]) => `stages.${Number(i) - 1}.norm.${kind}`],
    [/^(head\..*)$/, "$1"],
  ],
};

/** timm's own before it moved the merges to the start of their stage. */
export const swin: Layout = {
  name: "the Swin repository",
  models: /^swin(v2)?_/,
  detect: (names) => names.has("layers.0.downsample.reduction.weight"),
  rules: [
    [/^.*(?:relative_position_index|relative_coords_table|attn_mask)$/, null],
    [/^layers\.(\d)\.downsample\.(.*)$/, ([i, rest]) => `layers.${Number(i) + 1}.downsample.${rest}`],
    [/^head\.(\w+)$/, "head.fc.$1"],
    [/^(.*)$/, "$1"],
  ],
};
