import { describe, expect, it } from "vitest";
import { halfTable, toHalves } from "./half.ts";

describe("float16", () => {
  it("is exact for every float16", () => {
    const table = halfTable();
    const finite = Array.from({ length: 65536 }, (_, i) => i).filter((bits) => Number.isFinite(table[bits]));
    const back = toHalves(Float32Array.from(finite, (bits) => table[bits]));
    expect(finite.every((bits, i) => back[i] === bits)).toBe(true);
  });

  it("rounds to the nearest, halves to even, and saturates", () => {
    const value = (v: number) => halfTable()[toHalves(Float32Array.of(v))[0]];
    expect(value(1 + 2 ** -11)).toBe(1); // half of a step: to even
    expect(value(1 + 3 * 2 ** -11)).toBe(1 + 2 ** -9);
    expect(value(1 + 1.01 * 2 ** -11)).toBe(1 + 2 ** -10);
    expect(value(2 ** -25)).toBe(0);
    expect(value(1.01 * 2 ** -25)).toBe(2 ** -24);
    expect(value(1e6)).toBe(65504);
    expect(value(-65519)).toBe(-65504);
    expect(value(Number.NEGATIVE_INFINITY)).toBe(-65504);
    expect(value(Number.NaN)).toBeNaN();
  });
});
