import { describe, expect, it } from "vitest";
import { TesseraeError } from "../errors.ts";
import { input } from "../graph/tensor.ts";
import { makeDivisible, mbconv } from "../nn/mbconv.ts";
import { createModel, type ModelOptions } from "./index.ts";
import { scaleDepth } from "./mobile-stages.ts";
import { countParameters, traceModule } from "./trace.ts";

describe("compound scaling", () => {
  it("rounds widths to multiples of 8, and up where a tenth would be lost", () => {
    expect([1, 11, 12, 28, 35].map((c) => makeDivisible(c))).toEqual([8, 16, 16, 32, 32]);
    expect(makeDivisible(18)).toBe(24); // 16 is under 0.9 · 18
    expect(makeDivisible(18, 8, 0)).toBe(16);
  });

  it("rounds the repeats of a stage up, and deals them out from its last row on", () => {
    expect(scaleDepth([4], 1.1)).toEqual([5]);
    expect(scaleDepth([1, 1, 2], 1)).toEqual([1, 1, 2]);
    expect(scaleDepth([1, 1, 2], 1.2)).toEqual([1, 2, 2]); // 2.5 goes to 2
    expect(countParameters(createModel("mobilenetv3_large_150d"))).toBe(14622320);
  });
});

describe("drop path of a block", () => {
  const draws = (skip: boolean): number => {
    let count = 0;
    const noise = (shape: readonly number[]) => input(`noise${count++}`, "float32", shape);
    const x = input("x", "float32", [2, 8, 4, 4]);
    traceModule(mbconv(8, 8, { skip, dropPath: 0.5 }), x, { training: true, source: "inputs", noise });
    return count;
  };

  it("drops only what a skip can stand in for", () => {
    expect(draws(true)).toBe(1);
    expect(draws(false)).toBe(0);
  });
});

describe("options that an architecture lacks", () => {
  it.each([
    ["efficientnet_b0", { global_pool: "token" }, /not pooled by "token"/],
    ["efficientnet_b0", { global_pool: "" }, /no classifier/],
    ["efficientnet_b0", { depth_multiplier: [1, 2] }, /depth_multiplier/],
    ["mobilenetv2_100", { pad_type: "valid" }, /pad_type/],
    ["convmixer", { drop_path_rate: 0.1 }, /no drop path/],
    ["convmixer", { img_size: 1 }, /smaller than the patch.*nearest that fits is 2x2/i],
    ["convmixer", { norm: "group" }, /norm is batch or layer/],
    ["vgg11", { img_size: 31 }, /five poolings.*nearest that fits is 32x32/i],
    ["vgg11", { layers: [1, 2] }, /5 positive whole numbers/],
    ["resnet18", { output_stride: 4 }, /output_stride is 8, 16 or 32/],
    ["mixer_s32_224", { img_size: 100 }, /nearest that fits is 96x96/i],
    ["mixer_s32_224", { global_pool: "max" }, /pools by avg/],
  ])("%s %o", (name, options, message) => {
    let error: unknown;
    try {
      createModel(name, options as ModelOptions);
    } catch (e) {
      error = e;
    }
    expect(error).toBeInstanceOf(TesseraeError);
    expect(String((error as Error).message)).toMatch(message);
  });
});
