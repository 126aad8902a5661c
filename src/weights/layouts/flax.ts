import { chain, joinFirst, joinFrom, type Layout, part, permute, type Rule } from "./layout.ts";

// google-research's ViT and big_vision: Flax arrays, [in, out] and [height, width, in, out]; heads are an axis of their own.

const at = "^(?:opt\\/target\\/|params\\/)?";
const block = `${at}Transformer\\/encoderblock_(\\d+)\\/`;
const transposed = permute(1, 0);
const oihw = permute(3, 2, 0, 1);
const KIND: Readonly<Record<string, string>> = { scale: "weight", kernel: "weight", bias: "bias" };

const qkv = (["query", "key", "value"] as const).flatMap((name, i): Rule[] => [
  [
    new RegExp(`${block}MultiHeadDotProductAttention_[01]\\/${name}\\/kernel$`),
    "blocks.$1.attn.qkv.weight",
    { ...part(i, 3), map: chain(joinFrom(1), transposed) }, // [D, heads, d] to [heads·d, D]
  ],
  [
    new RegExp(`${block}MultiHeadDotProductAttention_[01]\\/${name}\\/bias$`),
    "blocks.$1.attn.qkv.bias",
    { ...part(i, 3), map: joinFirst(2) },
  ],
]);

const norm = (from: string, to: string): Rule => [
  new RegExp(`${from}\\/(scale|bias)$`),
  (c) => `${to.replace("$1", c[0])}.${KIND[c.at(-1) as string]}`,
];

/** The ResNetV2 of a hybrid; its stages count from 1, and so do the units. */
const unit = `${at}block(\\d)\\/unit(\\d+)\\/`;
const place = ([i, j]: readonly string[]) => `patch_embed.backbone.stages.${Number(i) - 1}.blocks.${Number(j) - 1}`;
const hybrid: Rule[] = [
  [new RegExp(`${at}conv_root\\/kernel$`), "patch_embed.backbone.stem.conv.weight", { map: oihw }],
  norm(`${at}gn_root`, "patch_embed.backbone.stem.norm"),
  [new RegExp(`${unit}conv(\\d)\\/kernel$`), (c) => `${place(c)}.conv${c[2]}.weight`, { map: oihw }],
  [new RegExp(`${unit}gn(\\d)\\/(scale|bias)$`), (c) => `${place(c)}.norm${c[2]}.${KIND[c[3]]}`],
  [new RegExp(`${unit}conv_proj\\/kernel$`), (c) => `${place(c)}.downsample.conv.weight`, { map: oihw }],
  [new RegExp(`${unit}gn_proj\\/(scale|bias)$`), (c) => `${place(c)}.downsample.norm.${KIND[c[2]]}`],
];

export const vit: Layout = {
  name: "google-research's ViT (Flax)",
  models: /^vit_/,
  detect: (names) => [...names].some((n) => /(^|\/)Transformer\/encoderblock_0\/LayerNorm_0\/scale$/.test(n)),
  rules: [
    [new RegExp(`${at}cls$`), "cls_token"],
    [new RegExp(`${at}(?:Transformer\\/posembed_input\\/pos_embedding|pos_embedding)$`), "pos_embed"],
    [new RegExp(`${at}embedding\\/kernel$`), "patch_embed.proj.weight", { map: oihw }],
    [new RegExp(`${at}embedding\\/bias$`), "patch_embed.proj.bias"],
    norm(`${block}LayerNorm_0`, "blocks.$1.norm1"),
    norm(`${block}LayerNorm_[12]`, "blocks.$1.norm2"),
    ...qkv,
    [
      new RegExp(`${block}MultiHeadDotProductAttention_[01]\\/out\\/kernel$`),
      "blocks.$1.attn.proj.weight",
      { map: chain(joinFirst(2), transposed) }, // [heads, d, D] to [D, heads·d]
    ],
    [new RegExp(`${block}MultiHeadDotProductAttention_[01]\\/out\\/bias$`), "blocks.$1.attn.proj.bias"],
    ...[0, 1].flatMap((i): Rule[] => [
      [
        new RegExp(`${block}MlpBlock_[03]\\/Dense_${i}\\/kernel$`),
        `blocks.$1.mlp.fc${i + 1}.weight`,
        { map: transposed },
      ],
      [new RegExp(`${block}MlpBlock_[03]\\/Dense_${i}\\/bias$`), `blocks.$1.mlp.fc${i + 1}.bias`],
    ]),
    norm(`${at}Transformer\\/encoder_norm`, "norm"),
    [new RegExp(`${at}head\\/kernel$`), "head.weight", { map: transposed }],
    [new RegExp(`${at}head\\/bias$`), "head.bias"],
    [new RegExp(`${at}pre_logits\\/.*$`), null],
    ...hybrid,
  ],
};
