import { describe, expect, it } from "vitest";
import { drawMixes, type Mix, type MixupOptions, mixImages, mixTargets } from "./mixup.ts";

const options: MixupOptions = { mixup: 0.8, cutmix: 1, prob: 1, switchProb: 0.5, mode: "elem" };
const draws = (o: Partial<MixupOptions>, n = 4000): Mix[] =>
  drawMixes({ ...options, ...o }, n, [32, 48], { seed: 1, epoch: 2, batch: 3 });

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => mean(values.map((v) => (v - mean(values)) ** 2));

describe("drawMixes", () => {
  it.each([0.2, 0.8, 1, 3])("draws mixup's part from Beta(α, α), α = %d", (alpha) => {
    const lams = draws({ mixup: alpha, cutmix: 0 }, 20000).map(({ lam }) => lam);
    expect(mean(lams)).toBeCloseTo(0.5, 1.5);
    expect(variance(lams)).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 2); // αβ / ((α+β)²(α+β+1))
  });

  it("is CutMix, mixup or nothing in the asked proportions", () => {
    const mixes = draws({ prob: 0.8, switchProb: 0.25 });
    const cut = mixes.filter(({ box }) => box).length / mixes.length;
    const plain = mixes.filter(({ lam, box }) => lam === 1 && !box).length / mixes.length;
    expect(cut).toBeCloseTo(0.2, 1.3);
    expect(plain).toBeCloseTo(0.2, 1.3);
  });

  it("gives the image its own part of the pixels outside of the box", () => {
    for (const { lam, box } of draws({ mixup: 0 })) {
      if (!box) throw new Error("no box");
      const { y0, y1, x0, x1 } = box;
      expect([y0 >= 0, y1 <= 32, y0 <= y1, x0 >= 0, x1 <= 48, x0 <= x1]).not.toContain(false);
      expect(lam).toBeCloseTo(1 - ((y1 - y0) * (x1 - x0)) / (32 * 48), 12);
    }
  });

  it("keeps the box's sides within cutmixMinmax", () => {
    for (const { box } of draws({ mixup: 0, cutmixMinmax: [0.25, 0.5] })) {
      const [h, w] = [(box?.y1 ?? 0) - (box?.y0 ?? 0), (box?.x1 ?? 0) - (box?.x0 ?? 0)];
      expect([h >= 8, h < 16, w >= 12, w < 24]).not.toContain(false);
    }
  });

  it("shares one draw in a batch, or between the two of a pair", () => {
    expect(new Set(draws({ mode: "batch" }, 8)).size).toBe(1);
    const pairs = draws({ mode: "pair" }, 8);
    expect(pairs.map((_, i) => pairs[7 - i])).toEqual(pairs);
    expect(new Set(pairs.map(({ lam }) => lam)).size).toBe(4);
  });

  it("depends on seed, epoch and batch alone", () => {
    expect(draws({}, 8)).toEqual(draws({}, 8));
    expect(drawMixes(options, 8, [32, 48], { seed: 1, epoch: 2, batch: 4 })).not.toEqual(draws({}, 8));
  });
});

describe("mixImages and mixTargets", () => {
  const images = Uint8Array.from([10, 20, 30, 40, 110, 121, 130, 140]); // two images [1, 2, 2]

  it("blends with the partner and rounds", () => {
    expect([...mixImages(images, [{ lam: 0.75 }, { lam: 1 }], [1, 2, 2])]).toEqual([
      35, 45, 55, 65, 110, 121, 130, 140,
    ]);
  });

  it("takes the box from the partner's unmixed pixels", () => {
    const box = { y0: 0, y1: 1, x0: 1, x1: 2 };
    const mixes = [
      { lam: 0.75, box },
      { lam: 0.75, box },
    ];
    expect([...mixImages(images, mixes, [1, 2, 2])]).toEqual([10, 121, 30, 40, 110, 20, 130, 140]);
  });

  it("mixes targets in the same parts", () => {
    const mixed = mixTargets(Float32Array.of(1, 0, 0, 0, 0, 1), [{ lam: 0.75 }, { lam: 0.5 }], 3);
    expect([...mixed]).toEqual([0.75, 0, 0.25, 0.5, 0, 0.5]);
  });
});
