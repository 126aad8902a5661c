import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant, withScope } from "../graph/tensor.ts";
import "../ops/index.ts";
import { noiseSource } from "./noise.ts";

/** Noise of a layer for the given global sample indices. */
function draw(seed: number, samples: readonly number[], shape: readonly number[], layer = "blocks.0"): Float64Array {
  const source = noiseSource(seed, constant(samples, [samples.length], "int32"));
  return evaluate([withScope(layer, () => source(shape))])[0].data;
}

describe("noise inside a program", () => {
  it("is uniform in [0, 1)", () => {
    const values = draw(1, [...Array(64).keys()], [64, 256]);
    expect(values.every((v) => v >= 0 && v < 1)).toBe(true);
    const bins = new Array<number>(16).fill(0);
    for (const v of values) bins[Math.floor(v * 16)]++;
    // 16384 draws: 1024 a bin, standard deviation 31
    for (const count of bins) expect(Math.abs(count - 1024)).toBeLessThan(5 * 31);
  });

  it("belongs to the sample, not to its place in a batch", () => {
    const whole = draw(3, [10, 11, 12, 13], [4, 5]);
    expect([...draw(3, [12, 13], [2, 5])]).toEqual([...whole.slice(10)]);
  });

  it("belongs to the sample where windows are folded into the batch", () => {
    const whole = draw(3, [10, 11], [6, 5]); // three windows a sample
    expect([...draw(3, [11], [3, 5])]).toEqual([...whole.slice(15)]);
    expect(new Set(whole).size).toBe(30);
  });

  it("differs by seed, sample and layer", () => {
    const base = [...draw(1, [7], [1, 8])];
    expect([...draw(2, [7], [1, 8])]).not.toEqual(base);
    expect([...draw(1, [8], [1, 8])]).not.toEqual(base);
    expect([...draw(1, [7], [1, 8], "blocks.1")]).not.toEqual(base);
  });

  it("gives the draws of one layer different bits", () => {
    const source = noiseSource(5, constant([0], [1], "int32"));
    const [a, b] = evaluate([source([1, 16]), source([1, 16])]);
    expect([...a.data]).not.toEqual([...b.data]);
  });

  it("shows no correlation between neighbours", () => {
    const values = draw(9, [...Array(64).keys()], [64, 64]).map((v) => v - 0.5);
    const product = values.reduce((s, v, i) => s + v * (values[i + 1] ?? 0), 0) / values.length;
    expect(Math.abs(product) * 12).toBeLessThan(0.08); // correlation, standard deviation 1/64
  });
});
