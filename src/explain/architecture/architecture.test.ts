import { describe, expect, it } from "vitest";
import { nodesOf } from "../../graph/walk.ts";
import { createModel } from "../../models/index.ts";
import type { Model } from "../../models/model.ts";
import { imageNodes } from "../../models/stage-table.ts";
import { traceImage } from "../../models/statistics.ts";
import { elementsOf } from "./elements.ts";
import { architectureSvg } from "./index.ts";

const inside = (model: Model, path: string) => {
  const nodes = nodesOf([traceImage(model)]);
  return elementsOf(path, nodes, imageNodes(nodes));
};
const shown = (model: Model, path: string) => inside(model, path).map(({ label, from }) => [label, ...from]);

describe("the inside of a module", () => {
  it("of ViT's block: two residuals around norm and layer", () => {
    expect(shown(createModel("vit_tiny_patch16_224"), "blocks.0")).toEqual([
      ["LayerNorm", -1],
      ["Attention", 0],
      ["+", -1, 1],
      ["LayerNorm", 2],
      ["MLP", 3],
      ["+", 2, 4],
    ]);
  });

  it("of attention: scores, softmax and weighted values", () => {
    expect(shown(createModel("vit_tiny_patch16_224"), "blocks.0.attn")).toEqual([
      ["3 × Linear 192 → 192", -1],
      ["Q Kᵀ", 0],
      ["softmax", 1],
      ["weights · V", 2, 0],
      ["Linear 192 → 192", 3],
    ]);
  });

  it("of PVT's attention: keys and values from the reduced map", () => {
    expect(shown(createModel("pvt_v2_b0"), "stages.0.blocks.0.attn")).toEqual([
      ["Linear 32 → 32", -1],
      ["Conv 8×8, 32 → 32, stride 8", -1],
      ["LayerNorm", 1],
      ["2 × Linear 32 → 32", 2],
      ["Q Kᵀ", 0, 3],
      ["softmax", 4],
      ["weights · V", 5, 3],
      ["Linear 32 → 32", 6],
    ]);
  });

  it("of ConvMixer's block: one residual, around the depthwise convolution", () => {
    expect(shown(createModel("convmixer"), "blocks.0")).toEqual([
      ["Conv depthwise 5×5, 256", -1],
      ["GELU", 0],
      ["BatchNorm", 1],
      ["+", 2, -1],
      ["Conv 1×1, 256 → 256", 3],
      ["GELU", 4],
      ["BatchNorm", 5],
    ]);
  });

  it("x · σ(x) is one box", () => {
    const labels = inside(createModel("efficientnet_b0"), "blocks.1.1").map((e) => e.label);
    expect(labels.filter((l) => l === "SiLU")).toHaveLength(2);
    expect(labels).not.toContain("sigmoid");
  });
});

describe("the diagram", () => {
  it.each([
    ["vit_tiny_patch16_224"],
    ["deit_tiny_distilled_patch16_224"],
    ["vit_tiny_r_s16_p8_224"],
    ["swin_tiny_patch4_window7_224"],
    ["swinv2_tiny_window8_256"],
    ["pvt_tiny"],
    ["pvt_v2_b2_li"],
    ["maxvit_nano_rw_256"],
    ["convmixer"],
    ["mixer_s32_224"],
    ["resnet18"],
    ["vgg11"],
    ["mobilenetv3_small_100"],
    ["tf_efficientnetv2_b0"],
    ["axial26s"],
  ])("of %s names every stage and has no broken number", (name) => {
    const svg = architectureSvg(createModel(name));
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(svg.match(/<g /g)?.length).toBe(svg.match(/<\/g>/g)?.length);
    expect(svg).toContain(`<title>${name}</title>`);
    expect(svg).toMatch(/logits/);
  });
});
