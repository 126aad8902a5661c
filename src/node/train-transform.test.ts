import { describe, expect, it } from "vitest";
import { augmentSteps } from "../data/transform.ts";
import { settle } from "./settings/index.ts";
import { trainTransformOf } from "./train-transform.ts";

const preprocessing = { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3], interpolation: "bicubic", crop_pct: 0.9 } as const;
const model = (channels: 1 | 3) => ({
  inputShape: [channels, 32, 48] as [number, number, number],
  preprocessing: { ...preprocessing, mean: [...preprocessing.mean], std: [...preprocessing.std] },
});

describe("the training transform of the settings", () => {
  it("holds every augmentation asked for, in the model's normalization", () => {
    const settings = settle({ aa: "rand-m9-mstd0.5-inc1", vflip: 0.1, reprob: 0.25, remode: "pixel", recount: 2 });
    const transform = trainTransformOf(settings, model(3));
    expect(JSON.parse(JSON.stringify(transform))).toEqual(transform);
    const steps = augmentSteps(transform);
    expect(steps.map(({ name }) => name)).toEqual([
      ...["randomResizedCrop", "horizontalFlip", "verticalFlip", "randAugment", "randomErasing"],
    ]);
    expect(steps[3]).toMatchObject({ fill: [128, 102, 76], magnitude: 9 });
    expect(steps[4]).toMatchObject({ p: 0.25, mode: "pixel", count: 2, mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.3] });
    expect(augmentSteps(trainTransformOf(settings, model(1)))[3]).toMatchObject({ fill: [128] });
  });

  it("is refused before any work where a part of it makes no sense", () => {
    expect(() => settle({ aa: "rand-m9-x1" })).toThrow(/aa "rand-m9-x1": "x1"/);
    expect(() => settle({ reprob: 2 })).toThrow(/--reprob must be a probability/);
    expect(() => settle({ remode: "loud" as never })).toThrow(/--remode must be one of const, rand, pixel/);
    expect(() => settle({ recount: 0 })).toThrow(/--recount must be a whole number of at least 1/);
  });
});
