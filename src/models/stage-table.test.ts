import { describe, expect, it } from "vitest";
import { createModel, listModels, type ModelOptions } from "./index.ts";
import { stageTable } from "./stage-table.ts";
import { statistics } from "./statistics.ts";

/** One line a stage: shape, stride, depth, heads, kernel and the family's notes, "-" where there is none. */
const lines = (name: string, options?: ModelOptions): string[] =>
  stageTable(createModel(name, options)).map((s) =>
    [
      s.stage,
      s.output.join("x"),
      ...[s.stride, s.depth, s.heads, s.kernel?.join("&")].map((v) => v ?? "-"),
      ...Object.values(s.notes),
    ].join(" "),
  );

describe("stages are those of the paper's table:", () => {
  it("ViT-B/16 (Dosovitskiy et al., table 1)", () =>
    expect(lines("vit_base_patch16_224")).toEqual([
      "patch_embed 197x768 16 - - 16",
      "blocks 197x768 16 12 12 -",
      "norm, head 1000 - - - -",
    ]));

  it("distilled DeiT-B: a token and a head more (Touvron et al., figure 2)", () =>
    expect(lines("deit_base_distilled_patch16_224")).toEqual([
      "patch_embed 198x768 16 - - 16",
      "blocks 198x768 16 12 12 -",
      "norm, head, head_dist 1000 - - - -",
    ]));

  it("R26+S/32 (Steiner et al., table 2)", () =>
    expect(lines("vit_small_r26_s32_224")).toEqual([
      "patch_embed.backbone.stem 64x56x56 4 - - 7",
      "patch_embed.backbone.stages.0 256x56x56 4 2 - 3",
      "patch_embed.backbone.stages.1 512x28x28 8 2 - 3",
      "patch_embed.backbone.stages.2 1024x14x14 16 2 - 3",
      "patch_embed.backbone.stages.3 2048x7x7 32 2 - 3",
      "patch_embed.proj 50x384 32 - - -",
      "blocks 50x384 32 12 6 -",
      "norm, head 1000 - - - -",
    ]));

  it("Swin-T (Liu et al., table 7)", () =>
    expect(lines("swin_tiny_patch4_window7_224")).toEqual([
      "patch_embed 96x56x56 4 - - 4",
      "layers.0 96x56x56 4 2 3 - 7x7",
      "layers.1 192x28x28 8 2 6 - 7x7",
      "layers.2 384x14x14 16 6 12 - 7x7",
      "layers.3 768x7x7 32 2 24 - 7x7",
      "norm, head 1000 - - - -",
    ]));

  it("PVT-Small (Wang et al. 2021, table 1: R 8 4 2 1, E 8 8 4 4)", () =>
    expect(lines("pvt_small")).toEqual([
      "patch_embed1 3136x64 4 - - 4",
      "block1 64x56x56 4 3 1 - 8 8",
      "patch_embed2 784x128 8 - - 2",
      "block2 128x28x28 8 4 2 - 4 8",
      "patch_embed3 196x320 16 - - 2",
      "block3 320x14x14 16 6 5 - 2 4",
      "patch_embed4 50x512 32 - - 2",
      "block4 50x512 32 3 8 - 1 4",
      "norm, head 1000 - - - -",
    ]));

  it("PVTv2-B1 (Wang et al. 2022, table 1)", () =>
    expect(lines("pvt_v2_b1")).toEqual([
      "patch_embed 3136x64 4 - - 7",
      "stages.0 64x56x56 4 2 1 3 8 8",
      "stages.1 128x28x28 8 2 2 3 4 8",
      "stages.2 320x14x14 16 2 5 3 2 4",
      "stages.3 512x7x7 32 2 8 3 1 4",
      "head 1000 - - - -",
    ]));

  it("MaxViT-T (Tu et al., table 1)", () =>
    expect(lines("maxvit_tiny_tf_224")).toEqual([
      "stem 64x112x112 2 - - 3",
      "stages.0 64x56x56 4 2 2 3 7x7 7x7",
      "stages.1 128x28x28 8 2 4 3 7x7 7x7",
      "stages.2 256x14x14 16 5 8 3 7x7 7x7",
      "stages.3 512x7x7 32 2 16 3 7x7 7x7",
      "head 1000 - - - -",
    ]));

  it("ResNet-50 (He et al., table 1)", () =>
    expect(lines("resnet50")).toEqual([
      "conv1, bn1 64x56x56 4 - - 7",
      "layer1 256x56x56 4 3 - 3",
      "layer2 512x28x28 8 4 - 3",
      "layer3 1024x14x14 16 6 - 3",
      "layer4 2048x7x7 32 3 - 3",
      "fc 1000 - - - -",
    ]));

  it("EfficientNet-B0 (Tan and Le, table 1)", () =>
    expect(lines("efficientnet_b0")).toEqual([
      "conv_stem, bn1 32x112x112 2 - - 3",
      "blocks.0 16x112x112 2 1 - 3",
      "blocks.1 24x56x56 4 2 - 3",
      "blocks.2 40x28x28 8 2 - 5",
      "blocks.3 80x14x14 16 3 - 3",
      "blocks.4 112x14x14 16 3 - 5",
      "blocks.5 192x7x7 32 4 - 5",
      "blocks.6 320x7x7 32 1 - 3",
      "conv_head, bn2, classifier 1000 - - - -",
    ]));

  it("ConvMixer-1536/20 (Trockman and Kolter, table 1)", () =>
    expect(lines("convmixer_1536_20")).toEqual([
      "stem 1536x32x32 7 - - 7",
      "blocks 1536x32x32 7 20 - 9",
      "head 1000 - - - -",
    ]));

  it("Mixer-B/16 (Tolstikhin et al., table 1)", () =>
    expect(lines("mixer_b16_224")).toEqual([
      "stem 196x768 16 - - 16",
      "blocks 196x768 16 12 - -",
      "norm, head 1000 - - - -",
    ]));

  it("Axial-ResNet-26 S: 8 heads over whole rows and columns (Wang et al. 2020)", () =>
    expect(lines("axial26s")).toEqual([
      "conv1, bn1 32x56x56 4 - - 7",
      "layer1 128x56x56 4 1 8 - 56+56",
      "layer2 256x28x28 8 2 8 - 56+56, 28+28",
      "layer3 512x14x14 16 4 8 - 28+28, 14+14",
      "layer4 1024x7x7 32 1 8 - 14+14",
      "fc 1000 - - - -",
    ]));

  it("SASA-ResNet-26 (Ramachandran et al., section 4.1)", () =>
    expect(lines("sasa_resnet26")).toEqual([
      "stem 64x56x56 4 - - 7",
      "layer1 256x56x56 4 1 8 - 7x7",
      "layer2 512x28x28 8 2 8 - 7x7",
      "layer3 1024x14x14 16 4 8 - 7x7",
      "layer4 2048x7x7 32 1 8 - 7x7",
      "fc 1000 - - - -",
    ]));

  it("VGG-16, whose layers are one list (Simonyan and Zisserman, table 1, D)", () =>
    expect(lines("vgg16")).toEqual([
      "features.0-3 64x224x224 1 2 - 3",
      "features.4-8 128x112x112 2 2 - 3",
      "features.9-15 256x56x56 4 3 - 3",
      "features.16-22 512x28x28 8 3 - 3",
      "features.23-29 512x14x14 16 3 - 3",
      "pre_logits, head 1000 - - - 7",
    ]));
});

describe("the options given show:", () => {
  it("windows are no larger than the map", () =>
    expect(lines("swin_tiny_patch4_window7_224", { img_size: 32, patch_size: 2, window_size: 4 }).slice(1, 5)).toEqual([
      "layers.0 96x16x16 2 2 3 - 4x4",
      "layers.1 192x8x8 4 2 6 - 4x4",
      "layers.2 384x4x4 8 6 12 - 4x4",
      "layers.3 768x2x2 16 2 24 - 2x2",
    ]));

  it("linear attention pools", () =>
    expect(lines("pvt_v2_b2_li", { img_size: 256 })[1]).toBe("stages.0 64x64x64 4 3 1 3 7x7 8"));

  it("channels-last maps of images that are not square", () =>
    expect(lines("swin_tiny_patch4_window7_224", { img_size: [224, 112] })[2]).toMatch(/^layers.1 192x28x14 8 /));

  it("no classifier, no head", () => expect(lines("resnet18", { num_classes: 0 }).at(-1)).toMatch(/^layer4 512x7x7/));

  it("MaxViT without its parts", () => {
    const options = { mbconv: false, grid_attn: false, pos_embed: "absolute" } as const;
    expect(lines("maxvit_tiny_rw_224", options)[1]).toBe("stages.0 64x56x56 4 2 2 - 7x7");
  });
});

/** The first name of each family and one of its last. */
const some = listModels().filter(
  (name, i, all) => i % 6 === 0 || createModel(name).paper !== createModel(all[i - 1]).paper,
);

it.each(some)("parameters and GMACs of %s add up", (name) => {
  const model = createModel(name);
  const stages = stageTable(model);
  const total = (of: "parameters" | "gmacs") => stages.reduce((sum, s) => sum + s[of], 0);
  const { parameters, gmacs } = statistics(model);
  expect(total("parameters")).toBe(parameters);
  expect(total("gmacs")).toBeCloseTo(gmacs, 9);
});

describe("activations are the outputs of products, as timm counts them:", () => {
  // infer_macts of timm's results/benchmark-infer tables, in millions.
  it.each([
    ["resnet18", 2.48],
    ["resnet50", 11.11],
    ["vit_base_patch16_224", 23.9],
    ["swin_tiny_patch4_window7_224", 17.06],
    ["swinv2_tiny_window8_256", 24.57],
    ["efficientnet_b0", 6.75],
    ["mobilenetv3_small_100", 1.42],
    ["pvt_v2_b0", 7.99],
    ["mixer_b16_224", 14.53],
    ["maxvit_tiny_tf_224", 35.78],
    ["vgg16", 13.56],
  ])("%s", (name, millions) => expect(statistics(createModel(name)).activations).toBeCloseTo(millions, 1));
});
