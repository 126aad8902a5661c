import { describe, expect, it } from "vitest";
import { compareCodePoints, type ImageDataset, splitDataset, subsetDataset } from "./dataset.ts";

function dataset(perClass: number[]): ImageDataset {
  const samples = perClass.flatMap((n, label) =>
    Array.from({ length: n }, (_, i) => ({ path: `${label}/${i}`, label })),
  );
  return { classes: perClass.map(String), samples, root: "/data" };
}

const paths = (d: ImageDataset) => d.samples.map(({ path }) => path);

describe("splitDataset", () => {
  it("takes the fraction of each class, at least one and never all", () => {
    const { train, val } = splitDataset(dataset([100, 10, 3, 2, 1]), 0.2, 0);
    const per = (d: ImageDataset) => [0, 1, 2, 3, 4].map((c) => d.samples.filter(({ label }) => label === c).length);
    expect(per(val)).toEqual([20, 2, 1, 1, 0]);
    expect(per(train)).toEqual([80, 8, 2, 1, 1]);
    expect([...paths(train), ...paths(val)].sort()).toEqual(paths(dataset([100, 10, 3, 2, 1])).sort());
  });

  it("is a function of the seed", () => {
    const split = (seed: number) => paths(splitDataset(dataset([50, 50]), 0.2, seed).val);
    expect(split(1)).toEqual(split(1));
    expect(split(1)).not.toEqual(split(2));
  });

  it("moves few samples when some are added, none when they are reordered", () => {
    const before = splitDataset(dataset([100, 100]), 0.2, 3);
    const after = splitDataset(dataset([105, 100]), 0.2, 3);
    const moved = paths(before.val).filter((path) => paths(after.train).includes(path));
    expect(moved.length).toBeLessThanOrEqual(3);
    const reversed = dataset([100, 100]);
    reversed.samples.reverse();
    expect(paths(splitDataset(reversed, 0.2, 3).val).sort()).toEqual(paths(before.val).sort());
  });

  it("keeps everything in train for a fraction of 0", () => {
    expect(splitDataset(dataset([5, 5]), 0, 0).val.samples).toHaveLength(0);
  });
});

describe("subsetDataset", () => {
  it("keeps the same part of each class, at least one sample, the smaller within the larger", () => {
    const all = dataset([100, 50, 3]);
    const part = (fraction: number, seed = 1) => subsetDataset(all, fraction, seed);
    const per = (d: ImageDataset) => [0, 1, 2].map((c) => d.samples.filter(({ label }) => label === c).length);
    expect([0.01, 0.1, 0.5, 1].map((f) => per(part(f)))).toEqual([
      [1, 1, 1],
      [10, 5, 1],
      [50, 25, 2],
      [100, 50, 3],
    ]);
    expect(paths(part(0.5))).toEqual(expect.arrayContaining(paths(part(0.1))));
    expect(paths(part(0.1, 2))).not.toEqual(paths(part(0.1)));
  });
});

it("code-point order puts emoji after all of the basic plane", () => {
  const names = ["\u{1F431}", "\uFF21", "b", "a", "ab", "猫", "가"];
  expect(names.sort(compareCodePoints)).toEqual(["a", "ab", "b", "猫", "가", "\uFF21", "\u{1F431}"]);
});
