import { describe, expect, it } from "vitest";
import { grad } from "../autodiff/grad.ts";
import { evaluate } from "../graph/evaluate.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type NdArray, type TensorData, toDoubles } from "../graph/types.ts";
import { parityInput } from "../verify/parity.ts";
import { createModel } from "./index.ts";
import { imageInput, initialize, traceModule } from "./trace.ts";

const options = { embed_dim: 8, depth: 1, num_heads: 2, img_size: 8, patch_size: 4, num_classes: 3 };
const host = ({ shape, data }: TensorData): NdArray => ({ shape, data: toDoubles(data) });

describe("a distilled DeiT", () => {
  const model = createModel("deit_tiny_distilled_patch16_224", options);
  const weights = initialize(model, 7);
  const traced = traceModule(model.forward, imageInput(model, 2), { training: true, source: "inputs" });
  const feeds = new Map([...weights].map(([name, t]) => [name, host(t)]));
  feeds.set("image", host(parityInput("input", [2, 3, 8, 8])));
  const [head, dist] = ["head", "head_dist"].map((name) => traced.taps.get(name) as Tensor);

  it("gives the mean of both heads", () => {
    const [mean, a, b] = evaluate([traced.output, head, dist], feeds).map((t) => t.data);
    mean.forEach((v, i) => {
      expect(v).toBeCloseTo((a[i] + b[i]) / 2, 12);
    });
    expect(a).not.toEqual(b);
  });

  it("lets each head be taught by itself", () => {
    const parameters = ["head.weight", "head_dist.weight", "dist_token"].map((n) => traced.slots.get(n) as Tensor);
    const [first, second, token] = evaluate(grad(dist.square().sum(), parameters), feeds);
    expect(first.data.every((v) => v === 0)).toBe(true);
    expect(second.data.some((v) => v !== 0)).toBe(true);
    expect(token.data.some((v) => v !== 0)).toBe(true);
  });

  it("says what it cannot do", () => {
    const make = (more: object) => () => createModel("deit_tiny_distilled_patch16_224", { ...options, ...more });
    expect(make({ global_pool: "avg" })).toThrow(/reads its class and distillation tokens/);
    expect(make({ reg_tokens: 2 })).toThrow(/reg_tokens=0/);
    expect(make({ num_classes: 0 })).not.toThrow();
  });
});

it("hybrids name the nearest image that fits", () => {
  expect(() => createModel("vit_tiny_r_s16_p8_224", { img_size: 100 })).toThrow(/nearest that fits is 96x96/);
  expect(createModel("vit_small_r26_s32_224", { img_size: 100 }).slots[1].shape).toEqual([1, 17, 384]);
});
