import { describe, expect, it } from "vitest";
import { augmentations } from "../augment/index.ts";
import { chooseOperations } from "../augment/rand-augment.ts";
import type { PlanarImage } from "../frame.ts";
import { gamma, keyed } from "../random.ts";
import { augmentSteps, trainTransform } from "../transform.ts";
import { applyStep } from "./operations.ts";
import { parseAutoAugment, type RandPlan } from "./parse.ts";

const flat = (value: number, size = 64): PlanarImage => ({
  data: new Uint8Array(3 * size * size).fill(value),
  channels: 3,
  width: size,
  height: size,
});
const settings = { fill: [1, 2, 3], filters: ["bicubic" as const], translateConst: 10, translatePct: 0.45 };
const mean = [0.5, 0.25, 0.75];
const std = [0.2, 0.2, 0.2];

describe("strings of --aa", () => {
  it.each([
    ["sparkle", /no policy "sparkle".*there are rand, augmix, original/s],
    ["", /no policy ""/],
    ["rand-m9-x3", /"x3": not one of m<number>/],
    ["rand-w0", /"w0": not one of/],
    ["rand-m", /"m": not one of/],
    ["rand-m9.5", /"m9.5": the magnitude is a whole number/],
    ["rand-p1.5", /"p1.5": the probability is at least 0 and at most 1/],
    ["rand-m9-m8", /"m8": m for the second time/],
    ["rand-inc2", /"inc2"/],
    ["rand-n0", /"n0": the operations an image is at least 1/],
    ["rand-tsparkle", /"tsparkle": not a set of operations \(tweights, t3a, t3aw\)/],
    ["rand-tweights-n16", /"n16": more than the 15 operations/],
    ["rand--m9", /"": not one of/],
    ["augmix-n3", /"n3": not one of m<number>, w<number>/],
    ["augmix-a0", /"a0": the alpha is at least 0.001/],
    ["v0-m9", /"m9": not one of mstd<number>/],
    ["constructor", /no policy "constructor"/],
  ])("refuse %s by its part", (text, message) => {
    expect(() => parseAutoAugment(text)).toThrow(message);
    expect(() => trainTransform({ size: 8, aa: text })).toThrow(message);
  });
});

describe("policies draw", () => {
  it("operations evenly, or by weight without replacement", () => {
    const even = parseAutoAugment("rand-n3") as RandPlan;
    const counts = new Map<string, number>();
    for (let i = 0; i < 5000; i++) {
      for (const op of chooseOperations(even.operations, undefined, 3, keyed(1, i))) {
        counts.set(op, (counts.get(op) ?? 0) + 1);
      }
    }
    expect(counts.size).toBe(15);
    // 1000 expected, five standard deviations.
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(155);

    const { operations, weights } = parseAutoAugment("rand-tweights") as RandPlan;
    let rotations = 0;
    for (let i = 0; i < 5000; i++) {
      const chosen = chooseOperations(operations, weights, 2, keyed(2, i));
      expect(new Set(chosen).size).toBe(2);
      if (chosen[0] === "Rotate") rotations++;
    }
    expect(Math.abs(rotations / 5000 - 3 / 10)).toBeLessThan(0.035);
    expect(new Set(chooseOperations(operations, weights, 15, keyed(3))).size).toBe(15);
  });

  it("magnitudes around m, cut to 0 .. mmax, and both directions", () => {
    // SolarizeAdd on black shows its level: 11 a magnitude.
    const shown = (std: number | "uniform", max: number) =>
      Array.from({ length: 4000 }, (_, i) => {
        const image = flat(0, 1);
        applyStep(image, { op: "SolarizeAdd", p: 1, magnitude: 9 }, { std, max }, settings, keyed(5, i));
        return image.data[0] / 11;
      });
    const normal = shown(0.5, 10);
    const average = normal.reduce((sum, v) => sum + v, 0) / 4000;
    expect(Math.abs(average + 0.5 / 11 - 9)).toBeLessThan(0.06);
    expect(Math.max(...normal)).toBe(10);
    expect(Math.max(...shown(0.5, 11))).toBeGreaterThan(10);
    const uniform = shown("uniform", 10);
    expect(Math.abs(uniform.reduce((sum, v) => sum + v, 0) / 4000 - 4.5)).toBeLessThan(0.2);
    expect(Math.min(...uniform)).toBeLessThan(0.1);
    expect(Math.max(...uniform)).toBeLessThanOrEqual(9);

    const brighter = Array.from({ length: 1000 }, (_, i) => {
      const image = flat(100, 1);
      const step = { op: "BrightnessIncreasing", p: 0.5, magnitude: 5 } as const;
      applyStep(image, step, { std: 0, max: 10 }, settings, keyed(6, i));
      return image.data[0];
    });
    const count = (value: number) => brighter.filter((v) => v === value).length;
    expect(count(100) + count(145) + count(55)).toBe(1000);
    expect(Math.abs(count(100) - 500)).toBeLessThan(80);
    expect(Math.abs(count(145) - 250)).toBeLessThan(70);
  });

  it("gamma variates of the right mean and variance", () => {
    for (const alpha of [0.3, 1, 4]) {
      const random = keyed(8, alpha * 10);
      const draws = Array.from({ length: 20_000 }, () => gamma(alpha, random));
      const average = draws.reduce((s, v) => s + v, 0) / draws.length;
      const variance = draws.reduce((s, v) => s + (v - average) ** 2, 0) / draws.length;
      expect(Math.abs(average / alpha - 1)).toBeLessThan(0.07);
      expect(Math.abs(variance / alpha - 1)).toBeLessThan(0.15);
    }
  });
});

describe("random erasing", () => {
  const erased = (mode: "const" | "rand" | "pixel", count: number, i: number) => {
    const image = flat(0);
    augmentations.randomErasing.pixels?.(image, { p: 1, mode, count, mean, std }, keyed(9, i));
    return image;
  };

  it("covers 2 % to a third of the image with the mean", () => {
    const parts = Array.from({ length: 500 }, (_, i) => {
      const { data } = erased("const", 1, i);
      expect([...new Set(data.subarray(0, 4096))].sort((a, b) => a - b)).toEqual([0, 128]);
      expect(new Set(data.subarray(4096, 8192))).toEqual(new Set([0, 64]));
      return data.subarray(0, 4096).filter((v) => v > 0).length / 4096;
    });
    expect(Math.min(...parts)).toBeGreaterThan(0.015);
    expect(Math.min(...parts)).toBeLessThan(0.04);
    expect(Math.max(...parts)).toBeGreaterThan(0.31);
    expect(Math.max(...parts)).toBeLessThan(0.345);
  });

  it("draws one colour a block, or noise of the model's mean and deviation", () => {
    const colors = new Set(
      Array.from({ length: 50 }, (_, i) => Math.max(...erased("rand", 1, i).data.subarray(0, 4096))),
    );
    expect(colors.size).toBeGreaterThan(20);
    const block = erased("pixel", 1, 3)
      .data.subarray(0, 4096)
      .filter((v) => v > 0);
    const average = block.reduce((s, v) => s + v, 0) / block.length;
    const deviation = Math.sqrt(block.reduce((s, v) => s + (v - average) ** 2, 0) / block.length);
    expect(Math.abs(average - 127.5)).toBeLessThan(10);
    expect(Math.abs(deviation - 51)).toBeLessThan(8);
  });

  it("happens with its probability", () => {
    let times = 0;
    for (let i = 0; i < 1000; i++) {
      const image = flat(0, 8);
      augmentations.randomErasing.pixels?.(image, { p: 0.25, mode: "const", count: 1, mean, std }, keyed(10, i));
      if (image.data.some((v) => v > 0)) times++;
    }
    expect(Math.abs(times - 250)).toBeLessThan(65);
  });
});

describe("a training transform", () => {
  it("has timm's order, and colour jitter only without automatic augmentation or with 3-Augment", () => {
    const names = (aa?: string) =>
      augmentSteps(
        trainTransform({
          ...{ size: 32, vflip: 0.5, colorJitter: 0.4, grayscaleProb: 0.1, gaussianBlurProb: 0.1, solarizeProb: 0.1 },
          ...{ reprob: 0.25, aa },
        }),
      ).map(({ name }) => name);
    const before = ["randomResizedCrop", "horizontalFlip", "verticalFlip"];
    const after = ["randomGrayscale", "randomGaussianBlur", "randomSolarize", "randomErasing"];
    expect(names()).toEqual([...before, "colorJitter", ...after]);
    expect(names("rand-m9")).toEqual([...before, "randAugment", ...after]);
    expect(names("augmix")).toEqual([...before, "augMix", ...after]);
    expect(names("3a")).toEqual([...before, "autoAugment", "colorJitter", ...after]);
  });

  it("hands the mean pixel, the filters and the ranges to the policy", () => {
    const [, , step] = augmentSteps(
      trainTransform({ size: [100, 64], aa: "augmix", interpolation: "bilinear", mean, std }),
    );
    expect(step).toMatchObject({ fill: [128, 64, 191], filters: ["bilinear"], translateConst: 28, translatePct: 0.3 });
  });

  it.each([
    [{ colorJitter: [0.1, 0.2] }, /colorJitter 0.1 0.2/],
    [{ colorJitter: [0, 0, 0, 0.6] }, /hue of at most 0.5/],
    [{ reprob: 1.5 }, /reprob 1.5 is not a probability/],
    [{ recount: 0 }, /recount 0/],
    [{ remode: "loud" as never }, /remode loud/],
    [{ mean: [0.5], std: [] }, /a number a channel/],
  ])("refuses %o", (given, message) => {
    expect(() => trainTransform({ size: 8, ...given })).toThrow(message);
  });
});

describe("colour jitter and flips", () => {
  const image = () => ({
    data: Uint8Array.from({ length: 3 * 12 }, (_, i) => 20 * (i % 12)),
    channels: 3,
    width: 3,
    height: 4,
  });

  it("keep factors in their range, and leave what has none alone", () => {
    const config = { p: 1, brightness: 0.4, contrast: 0, saturation: 0, hue: 0 };
    const factors = Array.from({ length: 500 }, (_, i) => {
      const one = { ...flat(100, 1) };
      augmentations.colorJitter.pixels?.(one, config, keyed(11, i));
      return one.data[0] / 100;
    });
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.59);
    expect(Math.max(...factors)).toBeLessThanOrEqual(1.4);
    expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.75);
    const same = image();
    augmentations.colorJitter.pixels?.(same, { ...config, brightness: 0 }, keyed(12));
    expect(same).toEqual(image());
  });

  it("turn rows round", () => {
    const turned = image();
    augmentations.verticalFlip.pixels?.(turned, { p: 1 }, keyed(13));
    expect([...turned.data.subarray(0, 12)]).toEqual([180, 200, 220, 120, 140, 160, 60, 80, 100, 0, 20, 40]);
    augmentations.verticalFlip.pixels?.(turned, { p: 1 }, keyed(13));
    expect(turned).toEqual(image());
  });
});
