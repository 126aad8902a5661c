import { describe, expect, it } from "vitest";
import { keyed, permutation, type Random } from "./random.ts";

const draws = (random: Random, n: number) => Array.from({ length: n }, () => random.uniform());

describe("keyed randomness", () => {
  it("is a function of its keys and nothing else", () => {
    expect(draws(keyed(1, 2, 3, "flip"), 5)).toEqual(draws(keyed(1, 2, 3, "flip"), 5));
    const others = [keyed(1, 2, 3), keyed(1, 2, 3, "crop"), keyed(2, 2, 3, "flip"), keyed(1, 3, 2, "flip")];
    for (const other of others) expect(draws(other, 3)).not.toEqual(draws(keyed(1, 2, 3, "flip"), 3));
    expect(draws(keyed(2 ** 32 + 5), 2)).not.toEqual(draws(keyed(5), 2));
    expect(draws(keyed(-1), 2)).not.toEqual(draws(keyed(2 ** 32 - 1), 2));
  });

  it("keeps its figures from version to version, as checkpoints rely on them", () => {
    expect(draws(keyed(0), 3).map((u) => u * 2 ** 32)).toMatchInlineSnapshot(`
      [
        3928669203,
        1067666979,
        1117441553,
      ]
    `);
    expect([...permutation(10, 7, 1)]).toMatchInlineSnapshot(`
      [
        4,
        7,
        3,
        0,
        8,
        6,
        9,
        2,
        5,
        1,
      ]
    `);
  });

  it("is uniform within a stream and across neighbouring keys", () => {
    const streams = [draws(keyed(3), 20_000), Array.from({ length: 20_000 }, (_, i) => keyed(3, 0, i).uniform())];
    for (const stream of streams) {
      const bins = new Array(20).fill(0);
      for (const u of stream) bins[Math.floor(u * 20)]++;
      const chi2 = bins.reduce((sum, b) => sum + (b - 1000) ** 2 / 1000, 0);
      // 19 degrees of freedom: above 43.8 once in a thousand.
      expect(chi2).toBeLessThan(43.8);
      expect(Math.max(...stream)).toBeLessThan(1);
      let lag = 0;
      for (let i = 1; i < stream.length; i++) lag += (stream[i] - 0.5) * (stream[i - 1] - 0.5);
      expect(Math.abs((12 * lag) / stream.length)).toBeLessThan(0.03);
    }
  });

  it("draws whole numbers, ranges and normals", () => {
    const random = keyed(11);
    const ints = Array.from({ length: 3000 }, () => random.int(3));
    expect(new Set(ints)).toEqual(new Set([0, 1, 2]));
    const range = Array.from({ length: 1000 }, () => random.uniformIn(-2, 5));
    expect(Math.min(...range)).toBeGreaterThanOrEqual(-2);
    expect(Math.max(...range)).toBeLessThan(5);
    const normals = Array.from({ length: 20_000 }, () => random.normal());
    const mean = normals.reduce((a, b) => a + b, 0) / normals.length;
    const variance = normals.reduce((a, b) => a + (b - mean) ** 2, 0) / normals.length;
    expect(Math.abs(mean)).toBeLessThan(0.03);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
  });

  it("shuffles every index once, differently each epoch and seed", () => {
    const order = permutation(1000, 5, 0);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(order).toEqual(permutation(1000, 5, 0));
    expect(order).not.toEqual(permutation(1000, 5, 1));
    expect(order).not.toEqual(permutation(1000, 6, 0));
    expect(permutation(0, 1, 1)).toHaveLength(0);
  });
});
