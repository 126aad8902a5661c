import { describe, expect, it } from "vitest";
import { freezePlan, frozenSlots } from "./freeze.ts";
import { createModel } from "./index.ts";

const vit = createModel("vit_tiny_patch16_224", {
  img_size: 32,
  depth: 3,
  embed_dim: 16,
  num_heads: 2,
  num_classes: 2,
});
const resnet = createModel("resnet18", { img_size: 32, num_classes: 2 });

describe("freezing", () => {
  it("takes globs of names, and never the classifier", () => {
    expect([...frozenSlots(vit, ["blocks.0.norm?.*"])]).toEqual([
      "blocks.0.norm1.weight",
      "blocks.0.norm1.bias",
      "blocks.0.norm2.weight",
      "blocks.0.norm2.bias",
    ]);
    const all = frozenSlots(vit, ["*"]);
    expect(vit.slots.map((s) => s.name).filter((name) => !all.has(name))).toEqual(["head.weight", "head.bias"]);
    expect(() => frozenSlots(vit, ["block.*"])).toThrow(/no parameter of vit_tiny_patch16_224 is called "block\.\*"/);
  });

  it("is nothing without globs; --freeze-bn is of running statistics alone", () => {
    expect(freezePlan(vit, {})).toBeUndefined();
    const statistics = [...(freezePlan(resnet, { freezeBn: true })?.(0) ?? [])];
    expect(statistics).toHaveLength(40);
    expect(statistics.every((name) => /running_(mean|var)$/.test(name))).toBe(true);
  });

  it("ends layer by layer from the last, or at once", () => {
    const gradual = freezePlan(vit, { freeze: ["*"], unfreezeEpochs: 2, unfreezeLayers: 1 });
    const first = (epoch: number) => [...(gradual?.(epoch) ?? [])].filter((name) => name.endsWith("norm1.weight"));
    expect(first(1)).toHaveLength(3);
    expect(gradual?.(0)).toBe(gradual?.(1));
    expect(first(2)).toEqual(["blocks.0.norm1.weight", "blocks.1.norm1.weight"]);
    expect(first(4)).toEqual(["blocks.0.norm1.weight"]);
    expect(gradual?.(8).size).toBe(0);
    const atOnce = freezePlan(vit, { freeze: ["*"], unfreezeEpochs: 3 });
    expect([atOnce?.(2).size === 0, atOnce?.(3).size]).toEqual([false, 0]);
  });
});
