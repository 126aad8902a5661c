import { describe, expect, it } from "vitest";
import { chosenRange, count, emptyHistogram, type RangeMethod, widened } from "./ranges.ts";

function rangeOf(values: Float32Array, method: RangeMethod) {
  const histogram = emptyHistogram(widened(undefined, values));
  count(histogram, values);
  return chosenRange(histogram, method);
}

describe("ranges of calibration", () => {
  const even = Float32Array.from({ length: 40_000 }, (_, i) => -1 + i / 10_000); // [-1, 3)
  const outlier = Float32Array.from([...even, 40]);

  it("minmax holds every value, and 0", () => {
    expect(rangeOf(outlier, "minmax")).toMatchObject({ low: -1, high: 40 });
    expect(rangeOf(Float32Array.of(2, 3), "minmax").low).toBe(0);
  });

  it("percentile leaves out the outermost values", () => {
    const { low, high } = rangeOf(outlier, "percentile");
    expect(low).toBeCloseTo(-1, 1);
    expect(high).toBeGreaterThan(2.9);
    expect(high).toBeLessThan(3.1);
  });

  it("mse cuts outliers where that changes the others less", () => {
    const many = Float32Array.from({ length: 400_000 }, (_, i) => -1 + i / 100_000);
    expect(rangeOf(Float32Array.from([...many, 40]), "mse").high).toBeLessThan(40);
    expect(rangeOf(even, "mse").high).toBeGreaterThan(2.9);
  });

  it("widen over batches and refuse what is no number", () => {
    expect(widened({ low: -2, high: 1 }, Float32Array.of(5))).toEqual({ low: -2, high: 5 });
    expect(() => widened(undefined, Float32Array.of(Number.NaN))).toThrow(/NaN/);
  });
});
