import { describe, expect, it } from "vitest";
import { calibration, hardest, type Judgement, Judgements, likelyMislabelled, mostConfused } from "./judgements.ts";

const judged = (label: number, guess: number, confidence: number, own: number, index = 0): Judgement => ({
  index,
  label,
  guess,
  confidence,
  own,
});

describe("judgements", () => {
  it("keep guess, confidence and the label's probability; padding does not count but keeps the places", () => {
    const judgements = new Judgements();
    judgements.add(Float32Array.of(0, Math.log(3), 0, 0), [0, -1], 2);
    judgements.add(Float32Array.of(Math.log(4), 0), [0], 2);
    expect(judgements.all.map(({ index, guess }) => [index, guess])).toEqual([
      [0, 1],
      [2, 0],
    ]);
    expect(judgements.all[0].confidence).toBeCloseTo(0.75, 6);
    expect(judgements.all[0].own).toBeCloseTo(0.25, 6);
    expect(judgements.all[1].own).toBeCloseTo(0.8, 6);
  });
});

describe("calibration", () => {
  it("has no error where confidence is the share that is right", () => {
    const list = [
      judged(0, 0, 0.75, 0.75),
      judged(0, 0, 0.75, 0.75),
      judged(0, 0, 0.75, 0.75),
      judged(1, 0, 0.75, 0.25),
    ];
    expect(calibration(list).ece).toBeCloseTo(0, 10);
  });

  it("weights the gap of each bin by its images (worked by hand)", () => {
    // (0.5, 0.6]: two images, one right, confidence 0.6; (0.9, 1]: one image, wrong, confidence 1.
    const list = [judged(0, 0, 0.6, 0.6), judged(1, 0, 0.6, 0.4), judged(1, 0, 1, 0)];
    const { bins, ece } = calibration(list, 10);
    expect(bins.map((b) => [b.images, b.accuracy])).toEqual([
      [2, 0.5],
      [1, 0],
    ]);
    expect(ece).toBeCloseTo((2 / 3) * 0.1 + (1 / 3) * 1, 10);
  });
});

describe("images to look at", () => {
  it("are hardest where the label has the least probability", () => {
    const list = [judged(0, 0, 0.9, 0.9, 0), judged(0, 1, 0.8, 0.2, 1), judged(1, 0, 0.99, 0.01, 2)];
    expect(hardest(list, 2).map((j) => j.index)).toEqual([2, 1]);
  });

  it("are likely mislabelled where another class has its usual probability", () => {
    const list = [
      judged(0, 0, 0.8, 0.8, 0),
      judged(0, 0, 0.6, 0.6, 1),
      judged(1, 0, 0.9, 0.1, 2), // above class 0's mean of 0.7
      judged(1, 0, 0.6, 0.4, 3), // below it
    ];
    expect(likelyMislabelled(list, 9).map((j) => j.index)).toEqual([2]);
  });

  it("are gathered by the classes that are confused, the most frequent pair first", () => {
    const list = [
      judged(0, 0, 0.9, 0.9, 0),
      judged(2, 1, 0.6, 0.3, 1),
      judged(0, 1, 0.7, 0.2, 2),
      judged(0, 1, 0.8, 0.1, 3),
      judged(1, 0, 0.9, 0.1, 4),
    ];
    const pairs = mostConfused(list, 2).map(({ label, guess, images }) => [label, guess, images.map((j) => j.index)]);
    expect(pairs).toEqual([
      [0, 1, [3, 2]],
      [1, 0, [4]],
    ]);
  });
});
