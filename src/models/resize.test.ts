import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant } from "../graph/tensor.ts";
import { resamplePositionTable } from "../weights/resample.ts";
import { createModel } from "./index.ts";
import { resizeModel, resizeWeights } from "./resize.ts";
import { checkWeights } from "./spec.ts";
import { initialize, traceLogits } from "./trace.ts";

const tiny = { img_size: 16, patch_size: 4, embed_dim: 8, depth: 1, num_heads: 2, num_classes: 3 };

describe("a model at another image size", () => {
  it.each([
    ["with a class token", {}, 1],
    ["with registers, whose table covers the patches alone", { reg_tokens: 2, no_embed_class: true }, 0],
  ])("takes the position table resampled, the prefix as it was: %s", (_, options, prefixTokens) => {
    const from = createModel("vit_tiny_patch16_224", { ...tiny, ...options });
    const to = resizeModel(from, 24);
    const weights = initialize(from, 1);
    const resized = resizeWeights(from, to, weights);
    checkWeights(to, resized);
    const table = weights.get("pos_embed")?.data as Float32Array;
    const expected = resamplePositionTable(table, { from: [4, 4], to: [6, 6], dim: 8, prefixTokens });
    expect(resized.get("pos_embed")?.data).toEqual(expected);
    expect(resized.get("head.weight")).toBe(weights.get("head.weight"));
    const image = constant(new Float64Array(3 * 24 * 24).fill(0.5), [1, 3, 24, 24]);
    const [logits] = evaluate([traceLogits(to, image, { training: false, source: resized }).output]);
    expect(logits.data.every(Number.isFinite)).toBe(true);
  });

  it("is refused where patches do not fit", () => {
    expect(() => resizeModel(createModel("vit_tiny_patch16_224", tiny), 18)).toThrow(/not a multiple of the patch 4x4/);
  });

  it("resamples tables of relative positions", () => {
    const from = createModel("vit_tiny_patch16_224", { ...tiny, pos_embed: "relative" });
    const to = resizeModel(from, 24);
    expect(() => checkWeights(to, initialize(from, 1))).toThrow(/of another shape/);
    checkWeights(to, resizeWeights(from, to, initialize(from, 1)));
  });
});
