import { describe, expect, it } from "vitest";
import { grad } from "../autodiff/grad.ts";
import { operators, program } from "../graph/program.ts";
import { mergeAdapters, withAdapters, withFreshAdapters } from "./adapters.ts";
import { createModel } from "./index.ts";
import { adapterNames } from "./low-rank.ts";
import { imageInput, initialize, traceLogits } from "./trace.ts";

const base = createModel("vit_tiny_patch16_224", {
  img_size: 32,
  depth: 2,
  embed_dim: 32,
  num_heads: 2,
  num_classes: 3,
});

describe("adapters", () => {
  it("are of every matrix of attention and MLPs unless named", () => {
    const kinds = new Set(
      withAdapters(base, { rank: 2 }).adapters?.targets.map((name) => name.replace(/^blocks\.\d/, "")),
    );
    expect([...kinds]).toEqual([".attn.qkv.weight", ".attn.proj.weight", ".mlp.fc1.weight", ".mlp.fc2.weight"]);
    expect(withAdapters(base, { rank: 2, targets: ["*qkv*"] }).adapters?.targets).toHaveLength(2);
    expect(() => withAdapters(base, { rank: 2, targets: ["nothing"] })).toThrow(/no weight/);
    expect(() => withAdapters(createModel("resnet18"), { rank: 2 })).toThrow(/has no matrices outside its classifier/);
  });

  it("merge into W + alpha / rank · B·A, convolutions too", () => {
    const model = withAdapters(base, {
      rank: 2,
      alpha: 3,
      targets: ["blocks.0.mlp.fc1.weight", "patch_embed.proj.weight"],
    });
    const weights = withFreshAdapters(model, initialize(base, 1), 1);
    for (const name of model.adapters?.targets ?? []) {
      const [a, b] = adapterNames(name);
      (weights.get(b) as { data: Float32Array }).data.fill(0.25);
      const merged = mergeAdapters(weights, model.adapters as NonNullable<typeof model.adapters>);
      expect(merged.has(a)).toBe(false);
      const [w, m, first] = [weights.get(name), merged.get(name), weights.get(a)];
      const columns = first?.shape[1] as number;
      for (const i of [0, 5, columns + 7]) {
        const [j, data] = [i % columns, first?.data as Float32Array];
        const expected = Number(w?.data[i]) + 1.5 * 0.25 * (data[j] + data[columns + j]);
        expect(Number(m?.data[i])).toBeCloseTo(expected, 5);
      }
    }
    expect([...mergeAdapters(weights, model.adapters as never).keys()]).toEqual(base.slots.map((s) => s.name));
  });

  it("multiply by their parts: no gradient as large as a weight is computed", () => {
    const model = withAdapters(base, { rank: 2 });
    const { output, slots } = traceLogits(model, imageInput(model, 4), { training: true, source: "inputs" });
    const adapters = [...slots].filter(([name]) => name.includes("lora_")).map(([, t]) => t);
    expect(adapters).toHaveLength(16);
    const gradients = grad(output.sum(), adapters);
    const made = operators(program("step", new Map(gradients.map((g, i) => [`${i}`, g]))));
    const weights = new Set(model.adapters?.targets.map((name) => `${slots.get(name)?.shape}`));
    const large = made.filter((n) => n.op === "Gemm" && weights.has(`${n.outputs[0].shape}`));
    expect(large).toEqual([]);
  });
});
