import { describe, expect, it } from "vitest";
import { type Range, type SweepPlan, trialsOf } from "./plan.ts";

const rate: Range = { min: 1e-4, max: 1e-1, log: true, whole: false };
const depth: Range = { min: 2, max: 5, log: false, whole: true };
const plan = (given: Partial<SweepPlan>): SweepPlan => ({
  method: "random",
  trials: 400,
  seed: 3,
  parameters: {},
  ...given,
});

describe("a grid", () => {
  it("is every combination, the last flag changing fastest", () => {
    const parameters = { opt: { values: ["adamw", "sgd"] }, depth: { min: 2, max: 4, log: false, whole: true } };
    expect(trialsOf(plan({ method: "grid", parameters }))).toEqual([
      ...[2, 3, 4].map((d) => ({ opt: "adamw", depth: d })),
      ...[2, 3, 4].map((d) => ({ opt: "sgd", depth: d })),
    ]);
  });

  it("takes steps of a range, even in the logarithm where asked, its ends among them", () => {
    expect(trialsOf(plan({ method: "grid", parameters: { lr: { ...rate, steps: 4 } } })).map(({ lr }) => lr)).toEqual([
      1e-4, 1e-3, 1e-2, 1e-1,
    ]);
    expect(() => trialsOf(plan({ method: "grid", parameters: { lr: rate } }))).toThrow(/needs the values of lr/);
  });
});

describe("random draws", () => {
  const trials = trialsOf(plan({ parameters: { lr: rate, depth, opt: { values: ["a", "b"] } } }));

  it("lie in their ranges, and fill them", () => {
    const rates = trials.map(({ lr }) => lr as number);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(1e-4);
    expect(Math.max(...rates)).toBeLessThanOrEqual(1e-1);
    // Half of the draws lie under the geometric middle: 400 draws, four standard deviations.
    expect(Math.abs(rates.filter((r) => r < 10 ** -2.5).length - 200)).toBeLessThan(40);
    for (const d of [2, 3, 4, 5]) expect(Math.abs(trials.filter((t) => t.depth === d).length - 100)).toBeLessThan(35);
    expect(new Set(trials.map(({ opt }) => opt))).toEqual(new Set(["a", "b"]));
  });

  it("are those of the seed: more trials or another flag leave them as they were", () => {
    const few = trialsOf(plan({ trials: 5, parameters: { momentum: { values: [0, 1] }, lr: rate } }));
    expect(few.map(({ lr }) => lr)).toEqual(trials.slice(0, 5).map(({ lr }) => lr));
    expect(trialsOf(plan({ seed: 4, trials: 5, parameters: { lr: rate } })).map(({ lr }) => lr)).not.toEqual(
      few.map(({ lr }) => lr),
    );
  });
});
