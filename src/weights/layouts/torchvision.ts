import { type Layout, plus, type Rule } from "./layout.ts";

// torchvision. Its ResNets are named as ours are.

export const vgg: Layout = {
  name: "torchvision VGG",
  models: /^vgg/,
  detect: (names) => names.has("features.0.weight") && names.has("classifier.6.weight"),
  rules: [
    [/^(features\..*)$/, "$1"],
    [/^classifier\.0\.(\w+)$/, "pre_logits.fc1.$1"],
    [/^classifier\.3\.(\w+)$/, "pre_logits.fc2.$1"],
    [/^classifier\.6\.(\w+)$/, "head.fc.$1"],
  ],
};

export const vit: Layout = {
  name: "torchvision ViT",
  models: /^vit_/,
  detect: (names) => names.has("conv_proj.weight") && names.has("encoder.pos_embedding"),
  rules: [
    ["class_token", "cls_token"],
    ["encoder.pos_embedding", "pos_embed"],
  ]
    .map(([from, to]): Rule => [new RegExp(`^${from.replaceAll(".", "\\.")}$`), to])
    .concat([
      [/^conv_proj\.(\w+)$/, "patch_embed.proj.$1"],
      [/^encoder\.layers\.encoder_layer_(\d+)\.ln_([12])\.(\w+)$/, "blocks.$1.norm$2.$3"],
      [/^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.in_proj_(\w+)$/, "blocks.$1.attn.qkv.$2"],
      [/^encoder\.layers\.encoder_layer_(\d+)\.self_attention\.out_proj\.(\w+)$/, "blocks.$1.attn.proj.$2"],
      [/^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:0|linear_1)\.(\w+)$/, "blocks.$1.mlp.fc1.$2"],
      [/^encoder\.layers\.encoder_layer_(\d+)\.mlp\.(?:3|linear_2)\.(\w+)$/, "blocks.$1.mlp.fc2.$2"],
      [/^encoder\.ln\.(\w+)$/, "norm.$1"],
      [/^heads\.head\.(\w+)$/, "head.$1"],
    ]),
};

/** Stages are 1, 3, 5...; 2, 4... are the merges in front of the next. */
const stageOf = (i: string) => (Number(i) - 1) >> 1;

export const swin: Layout = {
  name: "torchvision Swin",
  models: /^swin_/,
  detect: (names) => names.has("features.1.0.attn.relative_position_bias_table"),
  rules: [
    [/^features\.0\.0\.(\w+)$/, "patch_embed.proj.$1"],
    [/^features\.0\.2\.(\w+)$/, "patch_embed.norm.$1"],
    [/^.*relative_position_index$/, null],
    [
      /^features\.(\d+)\.(\d+)\.mlp\.([03])\.(\w+)$/,
      ([i, j, k, kind]) => `layers.${stageOf(i)}.blocks.${j}.mlp.fc${k === "0" ? 1 : 2}.${kind}`,
    ],
    [/^features\.(\d+)\.(\d+)\.((?:norm|attn).*)$/, ([i, j, rest]) => `layers.${stageOf(i)}.blocks.${j}.${rest}`],
    [/^features\.(\d+)\.((?:norm|reduction)\..*)$/, ([i, rest]) => `layers.${Number(i) / 2}.downsample.${rest}`],
    [/^(norm\..*)$/, "$1"],
    [/^head\.(\w+)$/, "head.fc.$1"],
  ],
};

/** Parts of an inverted residual by their place: with and without an expansion in front. */
const PARTS = { 2: ["conv_dw", "conv_pw"], 3: ["conv_pw", "conv_dw", "conv_pwl"] } as const;

/** Our name of the convolution or norm at place `at` of the block's sequence, in which squeeze-excite has one too. */
function mobilePart(prefix: string, at: number, what: string, names: ReadonlySet<string>): string | null {
  if (what === "fc1" || what === "fc2") return `se.conv_${what === "fc1" ? "reduce" : "expand"}`;
  const places = [0, 1, 2, 3].filter((i) => names.has(`${prefix}.${i}.0.weight`));
  const parts = PARTS[places.length as 2 | 3];
  const index = places.indexOf(at);
  if (!parts || index < 0) return null;
  return what === "0" ? parts[index] : `bn${index + 1}`;
}

/** Stage and place of the i-th block of stages of these lengths. */
function placeOf(i: number, stages: readonly number[]): string {
  let [stage, rest] = [0, i];
  while (rest >= stages[stage]) rest -= stages[stage++];
  return `${stage}.${rest}`;
}

export const efficientNet: Layout = {
  name: "torchvision EfficientNet",
  models: /^efficientnet_b/,
  detect: (names) => names.has("features.1.0.block.0.0.weight"),
  rules: [
    [/^features\.0\.0\.(\w+)$/, "conv_stem.$1"],
    [/^features\.0\.1\.(\w+)$/, "bn1.$1"],
    [/^features\.8\.0\.(\w+)$/, "conv_head.$1"],
    [/^features\.8\.1\.(\w+)$/, "bn2.$1"],
    [
      /^features\.(\d)\.(\d+)\.block\.(\d)\.(0|1|fc1|fc2)\.(\w+)$/,
      ([s, b, at, what, kind], names) => {
        const name = mobilePart(`features.${s}.${b}.block`, Number(at), what, names);
        return name && `blocks.${Number(s) - 1}.${b}.${name}.${kind}`;
      },
    ],
    [/^classifier\.1\.(\w+)$/, "classifier.$1"],
  ],
};

const V2_STAGES = [1, 2, 3, 4, 3, 3, 1];

export const mobileNetV2: Layout = {
  name: "torchvision MobileNetV2",
  models: /^mobilenetv2_/,
  detect: (names) => names.has("features.1.conv.0.0.weight"),
  rules: [
    [/^features\.0\.0\.(\w+)$/, "conv_stem.$1"],
    [/^features\.0\.1\.(\w+)$/, "bn1.$1"],
    [/^features\.18\.0\.(\w+)$/, "conv_head.$1"],
    [/^features\.18\.1\.(\w+)$/, "bn2.$1"],
    // The first block has no expansion: its last convolution and norm are conv.1 and conv.2, the others' conv.2 and conv.3.
    [
      /^features\.(\d+)\.conv\.(\d)(?:\.([01]))?\.(\w+)$/,
      ([k, at, inner, kind]) => {
        const count = k === "1" ? 2 : 3;
        const index = inner === undefined ? count - 1 : Number(at);
        const isConv = inner === undefined ? Number(at) === count - 1 : inner === "0";
        const name = isConv ? PARTS[count][index] : `bn${index + 1}`;
        return `blocks.${placeOf(Number(k) - 1, V2_STAGES)}.${name}.${kind}`;
      },
    ],
    [/^classifier\.1\.(\w+)$/, "classifier.$1"],
  ],
};

/** Blocks of each stage of MobileNetV3, large and small. */
const V3_STAGES = { large: [1, 2, 3, 4, 2, 3], small: [1, 2, 3, 2, 3] };
const v3 = (names: ReadonlySet<string>) => (names.has("features.16.0.weight") ? V3_STAGES.large : V3_STAGES.small);
/** torchvision's norms have an epsilon of 1e-3, ours of 1e-5: the variance takes the difference. */
const variance = { map: plus(1e-3 - 1e-5) };

const V3_RULES: readonly (readonly [RegExp, Exclude<Rule[1], null | string>])[] = [
  [/^features\.0\.0\.(\w+)$/, ([kind]) => `conv_stem.${kind}`],
  [/^features\.0\.1\.(\w+)$/, ([kind]) => `bn1.${kind}`],
  [
    /^features\.(?:12|16)\.([01])\.(\w+)$/,
    ([what, kind], names) => `blocks.${v3(names).length}.0.${what === "0" ? "conv" : "bn1"}.${kind}`,
  ],
  [
    /^features\.(\d+)\.block\.(\d)\.(0|1|fc1|fc2)\.(\w+)$/,
    ([k, at, what, kind], names) => {
      const name = mobilePart(`features.${k}.block`, Number(at), what, names);
      return name && `blocks.${placeOf(Number(k) - 1, v3(names))}.${name}.${kind}`;
    },
  ],
  [/^classifier\.0\.(\w+)$/, ([kind]) => `conv_head.${kind}`],
  [/^classifier\.3\.(\w+)$/, ([kind]) => `classifier.${kind}`],
];

export const mobileNetV3: Layout = {
  name: "torchvision MobileNetV3",
  models: /^mobilenetv3_(large|small)_100$/,
  detect: (names) => names.has("features.1.block.0.0.weight"),
  rules: [
    ...V3_RULES.map(([from, to]): Rule => [new RegExp(from.source.replace("(\\w+)$", "(running_var)$")), to, variance]),
    ...V3_RULES,
  ],
};
