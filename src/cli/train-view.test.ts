import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { sparkline, type TrainView, viewLines } from "./train-view.ts";

const view: TrainView = {
  epoch: 3,
  epochs: 10,
  batch: 20,
  batches: 240,
  loss: 1.23456,
  lr: 5e-4,
  losses: Array.from({ length: 240 }, (_, i) => 2.5 / (1 + i / 40)),
  imagesPerSecond: 1234.5,
  stepsPerSecond: 19.29,
  left: 724,
  rss: 1.25 * 2 ** 30,
  peak: 1.5 * 2 ** 30,
};
const lines = (v: TrainView, columns: number) => viewLines(v, columns).map(stripVTControlCharacters);

describe("the live view", () => {
  it("says all of a run in two lines of a terminal of 80 columns", () => {
    expect(lines(view, 80)).toEqual([
      "epoch 3/10 ━━────────────────────── " + " 20/240  19.3 steps/s  eta 12:04",
      "loss 1.2346 █▆▅▄▄▃▃▂▂▂▂▂▂▁▁▁▁▁▁  lr 5.00e-4  1,235 images/s  1.3 GiB (peak 1.5)",
    ]);
  });

  it.each([20, 40, 60, 80, 120])("has no line longer than %s columns, however large the numbers", (columns) => {
    const wide = { ...view, loss: 123.456, imagesPerSecond: 123456, left: 360000, rss: 2 ** 36, peak: 2 ** 36 };
    for (const v of [view, wide, { ...view, losses: [1] }])
      expect(Math.max(...lines(v, columns).map((line) => line.length))).toBeLessThan(columns + 1);
  });

  it("keeps its places while numbers grow", () => {
    const places = (v: TrainView) => lines(v, 80).map((line) => [line.indexOf("steps"), line.indexOf("images")]);
    expect(places({ ...view, batch: 120, loss: 2.5, losses: [3, 2], imagesPerSecond: 12.3 })).toEqual(places(view));
  });

  it("leaves out what is not known yet", () => {
    const { imagesPerSecond, stepsPerSecond, left, ...early } = view;
    expect(lines(early, 80).join()).not.toMatch(/images|steps|eta/);
  });

  it("draws curves of any length", () => {
    expect(sparkline([1, 2, 3], 10)).toBe("▁▅█");
    expect(sparkline([1, 1], 10)).toBe("▁▁");
    expect(sparkline([1], 10)).toBe("");
    expect(sparkline([Number.NaN, 1, Number.POSITIVE_INFINITY, 2], 10)).toBe("▁█");
    expect(
      sparkline(
        Array.from({ length: 100 }, (_, i) => i),
        4,
      ),
    ).toBe("▁▃▆█");
  });
});
