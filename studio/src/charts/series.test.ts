import { describe, expect, it } from "vitest";
import {
  described,
  joined,
  type Known,
  NOTHING,
  ofEpochs,
  ofSteps,
  smoothed,
  unitOf,
  updatesPerEpoch,
} from "./series.ts";

const step = (n: number, loss: number) => ({ step: n, loss });
const run: Known = {
  steps: [step(1, 3), step(2, 2), step(4, 1)],
  epochs: [
    { epoch: 0, step: 2, loss: 2.5 },
    { epoch: 1, step: 4 },
  ],
};

describe("curves", () => {
  it("grow by what is new, and begin anew where all is sent", () => {
    const grown = joined(joined(NOTHING, { whole: true, ...run }), { whole: false, steps: [step(5, 0.5)], epochs: [] });
    expect(grown.steps.map((s) => s.step)).toEqual([1, 2, 4, 5]);
    expect(joined(grown, { whole: true, steps: [step(1, 9)], epochs: [] }).steps).toEqual([step(1, 9)]);
  });

  it("stay short however long they grow, and keep their ends and mean", () => {
    const long = Array.from({ length: 3001 }, (_, i) => step(i + 1, i % 2));
    const { steps } = joined(NOTHING, { whole: true, steps: long, epochs: [] });
    expect(steps.length).toBeLessThanOrEqual(1500);
    expect(steps.at(-1)?.step).toBe(3001);
    expect(steps.reduce((sum, s) => sum + s.loss, 0) / steps.length).toBeCloseTo(0.5, 1);
  });

  it("are drawn over epochs once each run has ended one, else over updates", () => {
    expect(updatesPerEpoch(run)).toBe(2);
    expect(unitOf([run])).toBe("epoch");
    expect(unitOf([run, { steps: [step(1, 1)], epochs: [] }])).toBe("update");
    expect(ofSteps(run, "epoch", (p) => p.loss)).toEqual({ x: [0.5, 1, 2], y: [3, 2, 1] });
    expect(ofEpochs(run, "epoch", (e) => e.loss)).toEqual({ x: [1], y: [2.5] });
    expect(ofEpochs(run, "update", (e) => e.loss)).toEqual({ x: [2], y: [2.5] });
  });

  it("are smoothed without moving a constant, and left alone when short", () => {
    expect(smoothed(Array(50).fill(2)).at(-1)).toBeCloseTo(2);
    expect(smoothed([1, 5, 2])).toEqual([1, 5, 2]);
    const noisy = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? 0 : 2));
    expect(Math.abs((smoothed(noisy).at(-1) as number) - 1)).toBeLessThan(0.2);
  });

  it("are told in words", () => {
    const line = { name: "training", color: "#000000", x: [1, 2], y: [2.5, 1.25] };
    expect(described([line, { ...line, name: "each", faint: true }], "epoch")).toBe(
      "training: from 2.5 to 1.25 at epoch 2",
    );
    expect(described([{ ...line, x: [], y: [] }], "epoch")).toBe("no points yet");
  });
});
