import { describe, expect, it } from "vitest";
import type { ImageDataset } from "./dataset.ts";
import { epochOrders, type OrderOptions } from "./order.ts";
import { permutation } from "./random.ts";

/** `perClass[label]` samples of each class, class by class. */
function dataset(perClass: number[], weight?: (i: number) => number): ImageDataset {
  const labels = perClass.flatMap((n, label) => Array<number>(n).fill(label));
  const samples = labels.map((label, i) => ({ path: `${i}`, label, weight: weight?.(i) }));
  return { classes: perClass.map((_, label) => `c${label}`), samples, root: "/data" };
}

/** Samples in blocks of `size`, `perFile` blocks a file, sorted by class. */
function blocked(total: number, size: number, perFile = 4, length = 100): ImageDataset {
  const block = (i: number) => Math.floor(i / size);
  const place = (i: number) => ({
    file: Math.floor(block(i) / perFile),
    at: i,
    length,
    block: block(i) % perFile,
  });
  const samples = Array.from({ length: total }, (_, i) => ({ path: `${i}`, label: +(i > total / 2), place: place(i) }));
  return { classes: ["a", "b"], samples, root: "/data" };
}

const open = (data: ImageDataset, options: Partial<OrderOptions> = {}) =>
  epochOrders(data, { shuffle: true, seed: 3, ...options });
const indices = (data: ImageDataset, options: Partial<OrderOptions> = {}, epoch = 0) => [
  ...open(data, options).order(epoch).indices,
];
const ascending = (values: number[]) => [...values].sort((a, b) => a - b);
const times = (values: number[], total: number) => {
  const counts = Array<number>(total).fill(0);
  for (const value of values) counts[value]++;
  return counts;
};

describe("every order", () => {
  const cases: [string, ImageDataset, Partial<OrderOptions>][] = [
    ["uniform", dataset([300, 200]), {}],
    ["balanced", dataset([300, 20]), { sampler: "balanced" }],
    ["weighted", dataset([300, 20], (i) => i % 3), { sampler: "weighted" }],
    ["repeated", dataset([300, 300]), { augRepeats: 3 }],
    ["of blocks", blocked(700, 30), { shuffleBuffer: 100 }],
    ["of blocks, weighted and repeated", blocked(700, 30), { sampler: "balanced", augRepeats: 2 }],
  ];
  it.each(cases)("%s: is a function of seed and epoch, and as long as it says", (_, data, options) => {
    const { order, length } = open(data, options);
    expect(order(1)).toEqual(open(data, options).order(1));
    expect(order(1).indices).toHaveLength(length);
    expect(order(1)).not.toEqual(order(2));
    expect(order(1)).not.toEqual(open(data, { ...options, seed: 4 }).order(1));
  });

  it.each(cases)("%s: (index, repeat) never comes twice in an epoch, and repeats count from 0", (_, data, options) => {
    const { indices, repeats } = open(data, options).order(5);
    const seen = new Map<number, number>();
    indices.forEach((index, at) => {
      expect(repeats[at]).toBe(seen.get(index) ?? 0);
      seen.set(index, repeats[at] + 1);
    });
  });
});

describe("the uniform sampler", () => {
  it("takes each sample once, in the order of the seed; unshuffled, in that of the dataset", () => {
    expect(indices(dataset([5, 9]), {}, 2)).toEqual([...permutation(14, 3, 2)]);
    expect(indices(dataset([5, 9]), { shuffle: false }, 2)).toEqual([...Array(14).keys()]);
  });
});

describe("the balanced sampler", () => {
  it("draws as many of each class, within one, and the samples of a class as often, within one", () => {
    const data = dataset([600, 60, 7, 0, 33]);
    const order = indices(data, { sampler: "balanced" });
    expect(order).toHaveLength(700);
    const counts = times(order, 700);
    const per = [0, 1, 2, 4].map((label) => counts.filter((_, i) => data.samples[i].label === label));
    for (const members of per) {
      const sum = members.reduce((a, b) => a + b, 0);
      expect(Math.abs(sum - 175)).toBeLessThanOrEqual(1);
      expect(Math.max(...members) - Math.min(...members)).toBeLessThanOrEqual(1);
    }
  });

  it("takes other samples of a large class in each epoch, until all have come", () => {
    const seen = new Set<number>();
    for (let epoch = 0; epoch < 12; epoch++) {
      for (const i of indices(dataset([90, 10]), { sampler: "balanced" }, epoch)) seen.add(i);
    }
    expect(seen.size).toBe(100);
  });

  it("mixes the classes", () => {
    const order = indices(dataset([900, 100]), { sampler: "balanced" });
    for (let at = 0; at < 1000; at += 100) {
      const second = order.slice(at, at + 100).filter((i) => i >= 900).length;
      expect(second).toBeGreaterThan(30);
      expect(second).toBeLessThan(70);
    }
  });
});

describe("the weighted sampler", () => {
  it("draws a sample floor or ceil of its share of an epoch, its share on average", () => {
    const weight = (i: number) => [0, 0.5, 1, 3.7][i % 4];
    const data = dataset([40, 40], weight);
    const sums = Array<number>(80).fill(0);
    const share = (i: number) => weight(i) / 1.3;
    for (let epoch = 0; epoch < 400; epoch++) {
      const counts = times(indices(data, { sampler: "weighted" }, epoch), 80);
      const within = (count: number, i: number) =>
        count >= Math.floor(share(i) + 1e-9) && count <= Math.ceil(share(i) - 1e-9);
      expect(counts.every(within)).toBe(true);
      counts.forEach((count, i) => {
        sums[i] += count;
      });
    }
    // A count is Bernoulli beyond its floor: four standard deviations of the mean of 400 are 0.1 at most.
    sums.forEach((sum, i) => {
      expect(Math.abs(sum / 400 - share(i))).toBeLessThan(0.1);
    });
  });

  it("takes weights of classes too", () => {
    const order = indices(dataset([50, 50]), { sampler: "weighted", classWeights: { c0: 4 } });
    expect(order.filter((i) => i < 50)).toHaveLength(80);
  });

  it("refuses weights that mean nothing", () => {
    const order = (weight: (i: number) => number) => () => open(dataset([2, 2], weight), { sampler: "weighted" });
    expect(order((i) => (i === 2 ? -1 : 1))).toThrow("2: weight -1 is not a number of 0 or more");
    expect(order((i) => (i === 3 ? Number.NaN : 1))).toThrow("3: weight NaN is not");
    expect(order(() => 0)).toThrow("/data: the weights sum to 0");
    const named = { sampler: "weighted", classWeights: { boat: 2 } } as const;
    expect(() => open(dataset([2, 2]), named)).toThrow('a weight is given for "boat", which is no class of the data');
    expect(() => open(dataset([2, 2]), { classWeights: { c0: 2 } })).toThrow("class weights are for the weighted");
    expect(() => open(dataset([2, 2]), { shuffle: false, sampler: "balanced" })).toThrow("need a shuffled order");
  });
});

describe("repeated augmentation", () => {
  it("is timm's: each of the shuffled samples three times in a row, cut to the dataset's size rounded to 256", () => {
    const { indices, repeats } = open(dataset([500, 500]), { augRepeats: 3 }).order(1);
    expect(indices).toHaveLength(768);
    const shuffled = permutation(1000, 3, 1);
    expect([...indices]).toEqual(Array.from({ length: 768 }, (_, i) => shuffled[Math.floor(i / 3)]));
    expect([...repeats]).toEqual(Array.from({ length: 768 }, (_, i) => i % 3));
  });

  it("keeps the size of a set smaller than 256", () => {
    expect(indices(dataset([50, 50]), { augRepeats: 3 })).toHaveLength(100);
  });
});

describe("samples in blocks", () => {
  it("come once each, a window of blocks at a time, the blocks of a window mixed", () => {
    const order = indices(blocked(1200, 30), { shuffleBuffer: 300 });
    expect(ascending(order)).toEqual([...Array(1200).keys()]);
    const windows = new Set<string>();
    for (let at = 0; at < 1200; at += 300) {
      const blocks = new Set(order.slice(at, at + 300).map((i) => Math.floor(i / 30)));
      expect(blocks.size).toBe(10);
      windows.add([...blocks].sort().join());
      const ahead = new Set(order.slice(at, at + 30).map((i) => Math.floor(i / 30)));
      expect(ahead.size).toBeGreaterThan(5);
    }
    expect(windows.size).toBe(4);
  });

  it("share windows with other blocks in another epoch", () => {
    const first = (epoch: number) =>
      new Set(
        indices(blocked(1200, 30), { shuffleBuffer: 300 }, epoch)
          .slice(0, 300)
          .map((i) => Math.floor(i / 30)),
      );
    expect(first(0)).not.toEqual(first(1));
  });

  it("hold two blocks however large, and few that are large in bytes", () => {
    const spans = (length: number) => {
      const order = indices(blocked(1000, 100, 4, length), { shuffleBuffer: 1000 });
      return new Set(order.slice(0, 200).map((i) => Math.floor(i / 100))).size;
    };
    expect(spans(2 ** 22)).toBe(2);
    expect(spans(10)).toBeGreaterThan(7);
  });
});
