import { describe, expect, it } from "vitest";
import { Confusion } from "./confusion.ts";
import { Meter } from "./metrics.ts";

const NAMES = ["cat", "dog", "owl", "yak"];

describe("the confusion matrix", () => {
  it("counts each image by its class and its best guess, over batches", () => {
    const confusion = new Confusion(NAMES);
    confusion.add(Float32Array.of(3, 1, 0, 0, 0, 1, 2, 0, 0, 5, 0, 0), [0, 0, 1], 4);
    confusion.add(Float32Array.of(0, 0, 9, 0, 7, 0, 0, 0, 9, 9, 9, 9), [0, 2, -1], 4);
    expect(confusion.matrix).toEqual([
      [1, 0, 2, 0],
      [0, 1, 0, 0],
      [1, 0, 0, 0],
      [0, 0, 0, 0],
    ]);
    const [cat, dog, owl, yak] = confusion.perClass;
    expect(cat).toMatchObject({ name: "cat", images: 3, precision: 50, mistakenFor: { name: "owl", images: 2 } });
    expect(cat.accuracy).toBeCloseTo(100 / 3, 10);
    expect(cat.f1).toBeCloseTo((100 * 2 * (1 / 3) * 0.5) / (1 / 3 + 0.5), 10);
    expect(dog).toEqual({ name: "dog", images: 1, accuracy: 100, precision: 100, f1: 100 });
    expect(owl).toMatchObject({ accuracy: 0, precision: 0, f1: 0, mistakenFor: { name: "cat", images: 1 } });
    expect(yak).toEqual({ name: "yak", images: 0 });
  });

  it("agrees with top-1, also of equal logits and of NaN", () => {
    const logits = Float32Array.from({ length: 4 * 200 }, (_, i) => ((i * 7919) % 5 === 0 ? Number.NaN : (i * 31) % 4));
    const labels = Array.from({ length: 200 }, (_, i) => (i * i) % 4);
    const [confusion, meter] = [new Confusion(NAMES), new Meter()];
    confusion.add(logits, labels, 4);
    meter.add(logits, labels, 4);
    const right = confusion.matrix.reduce((sum, row, c) => sum + row[c], 0);
    expect(meter.metrics.top1).toBe((100 * right) / 200);
    expect(right).toBeGreaterThan(0);
  });

  it("has no guess for a row of NaN, which counts as an image", () => {
    const confusion = new Confusion(["a", "b"]);
    confusion.add(new Float32Array(2).fill(Number.NaN), [0], 2);
    expect(confusion.matrix.flat()).toEqual([0, 0, 0, 0]);
    expect(confusion.perClass[0]).toEqual({ name: "a", images: 1, accuracy: 0, f1: 0 });
  });
});
