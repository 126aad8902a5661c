import { describe, expect, it } from "vitest";
import { input } from "../graph/tensor.ts";
import { createModel, type ModelOptions } from "../models/index.ts";
import { activations } from "../nn/activation.ts";
import { composedByDepth } from "./depth-chart.ts";
import { areaOf, composedField } from "./receptive.ts";

/** r = 1 + Σ (k - 1) · Π of the strides before. */
const byHand = (layers: readonly (readonly [kernel: number, stride: number])[]): number => {
  let [side, jump] = [1, 1];
  for (const [kernel, stride] of layers) {
    side += (kernel - 1) * jump;
    jump *= stride;
  }
  return side;
};

const sides = (name: string, options: ModelOptions = {}) => composedByDepth(createModel(name, options));

describe("the composed receptive field", () => {
  it("of ResNet-18 is that of its kernels and strides, block by block", () => {
    const layers: [number, number][] = [[7, 2]];
    const expected = [byHand(layers)];
    layers.push([3, 2]); // max pool
    for (const stage of [0, 1, 2, 3])
      for (const block of [0, 1]) {
        layers.push([3, stage > 0 && block === 0 ? 2 : 1], [3, 1]);
        expected.push(byHand(layers));
      }
    expect(expected.at(-1)).toBe(435);
    expect(sides("resnet18").map((f) => f.composed)).toEqual(expected.map((side) => [side, side]));
  });

  it("of VGG-11 counts pools, and of ConvMixer patches and kernels", () => {
    const vgg = sides("vgg11").at(-1)?.composed;
    const pool: [number, number] = [2, 2];
    const conv: [number, number] = [3, 1];
    const layers = [conv, pool, conv, pool, conv, conv, pool, conv, conv, pool, conv, conv, pool];
    expect(vgg?.[0]).toBe(byHand(layers));
    const mixer = sides("convmixer", { dim: 4, depth: 3, kernel_size: 5, patch_size: 2 });
    expect(mixer.map((f) => f.composed?.[0])).toEqual([
      2,
      ...[1, 2, 3].map((d) => byHand([[2, 2], ...Array<[number, number]>(d).fill([5, 1])])),
    ]);
  });

  it("dilates, and reaches the whole map through a mean over it, as squeeze and excite has", () => {
    const x = input("image", "float32", [1, 2, 9, 9]);
    const weight = input("w", "float32", [2, 2, 3, 3]);
    const dilated = x.conv(weight, undefined, { dilations: [2, 2], pads: [2, 2, 2, 2] });
    expect(composedField(dilated, x, [4, 4])).toEqual([5, 5]);
    expect(composedField(dilated.mul(x.mean([2, 3], true).sigmoid()), x, [4, 4])).toEqual([9, 9]);
  });

  it.each(Object.entries(activations))("is the same after %s", (_, f) => {
    const x = input("image", "float32", [1, 2, 9, 9]);
    const y = x.conv(input("w", "float32", [2, 2, 3, 3]), undefined, { pads: [1, 1, 1, 1] });
    expect(composedField(f(y), x, [4, 4])).toEqual([3, 3]);
  });

  it("of a ViT is a patch, and all of the image after one layer of attention", () => {
    const options = { img_size: 32, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2 };
    expect(sides("vit_tiny_patch16_224", options).map((f) => f.composed)).toEqual([
      [8, 8],
      [32, 32],
      [32, 32],
    ]);
  });

  it("is unknown where tokens are mixed by other products", () => {
    const options = { img_size: 32, patch_size: 8, embed_dim: 16, num_blocks: 1 };
    expect(sides("mixer_s32_224", options).map((f) => f.composed)).toEqual([[8, 8], undefined]);
  });
});

it("the effective area is the least part of the image that holds 95 % of the weight", () => {
  expect(areaOf(Float32Array.of(0, 19, 1, 0))).toBe(0.25);
  expect(areaOf(Float32Array.of(1, 1, 1, 1))).toBe(1);
});
