import { describe, expect, it } from "vitest";
import { rampOf, suggestions, type Trial, Trials } from "./lr-find.ts";

/** Points of a curve over rates 10^-4, 10^-3.9, ... */
const curve = (losses: readonly number[]): Trial[] =>
  losses.map((smoothed, step) => ({ step, lr: 10 ** (-4 + step / 10), loss: smoothed, smoothed }));

describe("the learning rate range test", () => {
  it("grows the rate by the same factor each step, from first to last", () => {
    const rate = rampOf({ from: 1e-6, to: 1, steps: 7 });
    for (let i = 0; i < 7; i++) expect(Math.log10(rate(i))).toBeCloseTo(-6 + i, 10);
  });

  it("smooths the losses without favouring zero at the beginning", () => {
    const trials = new Trials();
    for (const loss of [3, 1, 2]) trials.add(0.1, loss);
    const weights = [0.98 ** 2, 0.98, 1];
    const mean = (3 * weights[0] + weights[1] + 2 * weights[2]) / weights.reduce((a, b) => a + b);
    expect(trials.list[0].smoothed).toBeCloseTo(3, 12);
    expect(trials.list[2].smoothed).toBeCloseTo(mean, 12);
  });

  it("sees that the loss has left: above four times its lowest smoothed value", () => {
    const trials = new Trials();
    for (let i = 0; i < 20; i++) trials.add(0.1, 1);
    expect(trials.diverged).toBe(false);
    for (let i = 0; i < 20; i++) trials.add(1, 30);
    expect(trials.diverged).toBe(true);
  });

  it("reads the valley, the steepest fall and a tenth of the lowest point's rate off the curve", () => {
    // Flat, a fall from point 10 to 25 that is steepest at 20, then a rise.
    const losses = Array.from({ length: 40 }, (_, i) => {
      if (i < 10) return 2 + 0.001 * i;
      if (i <= 25) return 2 - 0.05 * (i - 10) - (i > 20 ? 0.3 : 0);
      return 2 + 0.2 * (i - 25);
    });
    const { valley, steep, minimum } = suggestions(curve(losses));
    const at = (lr: number | undefined) => Math.round(10 * (Math.log10(lr as number) + 4));
    expect(at(minimum)).toBe(25 - 10);
    expect(at(steep)).toBe(20);
    // 17 points that fall, 8 (or another of the flat ones) and 10 to 25: the middle of 8 and 25.
    expect(at(valley)).toBe(15);
  });

  it("suggests nothing where the loss never falls", () => {
    expect(suggestions(curve(Array.from({ length: 30 }, (_, i) => 1 + i)))).toEqual({});
    expect(suggestions([])).toEqual({});
  });
});
