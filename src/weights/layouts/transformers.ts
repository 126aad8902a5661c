import { type Layout, part, type Rule } from "./layout.ts";

// Hugging Face transformers. Published files name the parts as version 4 did; version 5 has shorter names in memory.

const any = (names: ReadonlySet<string>, pattern: RegExp) => [...names].some((name) => pattern.test(name));

/** Attention and MLP of a block: `from` matches up to the block, `to` is our block. */
const block = (from: string, to: string): Rule[] => {
  const rule = (tail: string, target: string, how?: Rule[2]): Rule => [
    new RegExp(`^${from}\\.${tail}\\.(weight|bias)$`),
    (c) => `${to.replaceAll(/\$(\d)/g, (_, i) => c[Number(i) - 1])}.${target}.${c.at(-1)}`,
    how,
  ];
  const qkv = (["query", "key", "value"] as const).map((name, i) =>
    rule(`attention\\.(?:(?:attention|self)\\.${name}|${name[0]}_proj)`, "attn.qkv", part(i, 3)),
  );
  return [
    ...qkv,
    rule("attention\\.(?:output\\.dense|o_proj)", "attn.proj"),
    rule("(?:layernorm_before|norm1)", "norm1"),
    rule("(?:layernorm_after|norm2)", "norm2"),
    rule("(?:intermediate\\.dense|mlp\\.fc1)", "mlp.fc1"),
    rule("(?:output\\.dense|mlp\\.fc2)", "mlp.fc2"),
  ];
};

const vitRules: Rule[] = [
  [/^(?:\w+\.)?embeddings\.cls_token$/, "cls_token"],
  [/^(?:\w+\.)?embeddings\.distillation_token$/, "dist_token"],
  [/^(?:\w+\.)?embeddings\.position_embeddings$/, "pos_embed"],
  [/^(?:\w+\.)?embeddings\.mask_token$/, null],
  [/^(?:\w+\.)?embeddings\.patch_embeddings\.projection\.(\w+)$/, "patch_embed.proj.$1"],
  ...block("(?:\\w+\\.)?(?:encoder\\.layer|layers)\\.(\\d+)", "blocks.$1"),
  [/^(?:\w+\.)?encoder\.layer\.(\d+)\.layer_scale([12])\.lambda1$/, "blocks.$1.ls$2.gamma"],
  [/^(?:\w+\.)?layernorm\.(\w+)$/, "norm.$1"],
  [/^(?:\w+\.)?pooler\..*$/, null],
  [/^(?:cls_)?classifier\.(\w+)$/, "head.$1"],
  [/^distillation_classifier\.(\w+)$/, "head_dist.$1"],
];

export const vit: Layout = {
  name: "Hugging Face transformers ViT, DeiT or DINOv2",
  models: /^(vit|deit)_/,
  detect: (names) =>
    any(names, /^(\w+\.)?embeddings\.cls_token$/) &&
    any(names, /^(\w+\.)?(encoder\.layer|layers)\.0\.attention\.(attention\.query|q_proj)\.weight$/),
  rules: vitRules,
};

export const swin: Layout = {
  name: "Hugging Face transformers Swin",
  models: /^swin_/,
  detect: (names) => any(names, /^(\w+\.)?encoder\.layers\.0\.blocks\.0\.attention\.(self\.query|q_proj)\.weight$/),
  rules: [
    [/^(?:\w+\.)?embeddings\.patch_embeddings\.projection\.(\w+)$/, "patch_embed.proj.$1"],
    [/^(?:\w+\.)?embeddings\.norm\.(\w+)$/, "patch_embed.norm.$1"],
    [/^.*relative_position_index$/, null],
    [
      /^(?:\w+\.)?encoder\.layers\.(\d+)\.blocks\.(\d+)\.attention\.(?:self|relative_position_bias)\.relative_position_bias_table$/,
      "layers.$1.blocks.$2.attn.relative_position_bias_table",
    ],
    ...block("(?:\\w+\\.)?encoder\\.layers\\.(\\d+)\\.blocks\\.(\\d+)", "layers.$1.blocks.$2"),
    [
      /^(?:\w+\.)?encoder\.layers\.(\d+)\.downsample\.(\w+)\.(\w+)$/,
      ([stage, what, kind]) => `layers.${Number(stage) + 1}.downsample.${what}.${kind}`,
    ],
    [/^(?:\w+\.)?layernorm\.(\w+)$/, "norm.$1"],
    [/^classifier\.(\w+)$/, "head.fc.$1"],
  ],
};

export const resnet: Layout = {
  name: "Hugging Face transformers ResNet",
  models: /^resnet/,
  detect: (names) => any(names, /^(\w+\.)?embedder\.embedder\.convolution\.weight$/),
  rules: [
    [/^(?:\w+\.)?embedder\.embedder\.convolution\.(\w+)$/, "conv1.$1"],
    [/^(?:\w+\.)?embedder\.embedder\.normalization\.(\w+)$/, "bn1.$1"],
    [
      /^(?:\w+\.)?encoder\.stages\.(\d+)\.layers\.(\d+)\.shortcut\.(convolution|normalization)\.(\w+)$/,
      ([stage, i, what, kind]) => `layer${Number(stage) + 1}.${i}.downsample.${what === "convolution" ? 0 : 1}.${kind}`,
    ],
    [
      /^(?:\w+\.)?encoder\.stages\.(\d+)\.layers\.(\d+)\.layer\.(\d+)\.(convolution|normalization)\.(\w+)$/,
      ([stage, i, k, what, kind]) =>
        `layer${Number(stage) + 1}.${i}.${what === "convolution" ? "conv" : "bn"}${Number(k) + 1}.${kind}`,
    ],
    [/^classifier\.1\.(\w+)$/, "fc.$1"],
  ],
};

const PVT_PARTS: Readonly<Record<string, string>> = {
  layer_norm_1: "norm1",
  layer_norm_2: "norm2",
  "attention.self.query": "attn.q",
  "attention.self.sequence_reduction": "attn.sr",
  "attention.self.layer_norm": "attn.norm",
  "attention.output.dense": "attn.proj",
  "mlp.dense1": "mlp.fc1",
  "mlp.dense2": "mlp.fc2",
};
const next = (stage: string) => Number(stage) + 1;

export const pvt: Layout = {
  name: "Hugging Face transformers PVT",
  models: /^pvt_(?!v2)/,
  detect: (names) => any(names, /^(\w+\.)?encoder\.block\.0\.0\.attention\.self\.query\.weight$/),
  rules: [
    [/^(?:\w+\.)?encoder\.patch_embeddings\.(\d)\.position_embeddings$/, ([i]) => `pos_embed${next(i)}`],
    [/^(?:\w+\.)?encoder\.patch_embeddings\.\d\.cls_token$/, "cls_token"],
    [/^(?:\w+\.)?encoder\.patch_embeddings\.(\d)\.projection\.(\w+)$/, ([i, k]) => `patch_embed${next(i)}.proj.${k}`],
    [/^(?:\w+\.)?encoder\.patch_embeddings\.(\d)\.layer_norm\.(\w+)$/, ([i, k]) => `patch_embed${next(i)}.norm.${k}`],
    ...(["key", "value"] as const).map(
      (name, i): Rule => [
        new RegExp(`^(?:\\w+\\.)?encoder\\.block\\.(\\d)\\.(\\d+)\\.attention\\.self\\.${name}\\.(\\w+)$`),
        ([stage, j, kind]) => `block${next(stage)}.${j}.attn.kv.${kind}`,
        part(i, 2),
      ],
    ),
    [
      /^(?:\w+\.)?encoder\.block\.(\d)\.(\d+)\.(.+)\.(weight|bias)$/,
      ([stage, j, what, kind]) =>
        Object.hasOwn(PVT_PARTS, what) ? `block${next(stage)}.${j}.${PVT_PARTS[what]}.${kind}` : null,
    ],
    [/^(?:\w+\.)?encoder\.layer_norm\.(\w+)$/, "norm.$1"],
    [/^classifier\.(\w+)$/, "head.$1"],
  ],
};
