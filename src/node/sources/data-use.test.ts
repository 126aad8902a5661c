import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fuzzing } from "../../../test/fuzz.ts";
import type { ImageDataset } from "../../data/dataset.ts";
import { evalTransform, trainTransform } from "../../data/transform.ts";
import { createLoader } from "../loader.ts";
import { openSamples } from "../sample-reader.ts";
import { dataFingerprint } from "./fingerprint.ts";
import { type OpenDataOptions, openData } from "./open-data.ts";
import { splitOfName } from "./source.ts";
import {
  cifar,
  dir,
  failure,
  labels,
  NAMES,
  parquet,
  pngs,
  shard,
  write,
  writeCifar10,
  writeCsv,
} from "./test-files.ts";

describe("finding what a path holds", () => {
  it("takes class folders for what they are, whatever lies beside them", async () => {
    for (const name of NAMES) for (const i of [0, 1]) write(`${name}/${i}.png`, pngs[i]);
    write("original.tar", "not opened");
    write("labels.csv", "not,opened");
    expect((await openData(dir)).kind).toBe("folder");
    expect(await failure(dir, { dataset: "mnist" })).toMatch(/^DIR: holds no mnist data: train-images-idx3-ubyte/);
    expect(await failure(dir, { dataset: "tfds" as never })).toMatch(
      /no kind of data "tfds". There are folder, cifar10/,
    );
  });

  it("says that archives are to be unpacked", async () => {
    expect(await failure(write("a.tar.gz", "x"))).toBe(
      "DIR/a.tar.gz: is compressed, so that it cannot be read in place. Unpack it first",
    );
    expect(await failure(join(dir, "nothing"))).toMatch(/^DIR\/nothing: no such folder/);
    expect(await failure(join(dir, "s-{0..3}.tar"))).toBe("DIR/s-0.tar: no such file");
  });

  it("reads the split from a file's name", () => {
    const names = ["train-00000.parquet", "imagenet-val-0.tar", "x/test/0.tar", "training.tar", "TEST.csv", "a.tar"];
    expect(names.map(splitOfName)).toEqual(["train", "val", "test", undefined, "test", undefined]);
  });

  it("refuses a val with classes that train lacks, and splits that are not there", async () => {
    writeCsv("train.csv", 0, 12);
    write("val.csv", 'path,label\n"img/0, ""x"".png",cow');
    expect(await failure(dir, { dataset: "csv" })).toBe("DIR: val has classes that train lacks: cow");
    expect(await failure(dir, { dataset: "csv", valSplit: "dev" })).toBe("DIR: no split dev. It has train, val");
  });
});

describe("folds", () => {
  it("hold every sample exactly once, each class evenly, by seed", async () => {
    writeCifar10();
    const fold = (fold: number, seed = 1) => openData(dir, { folds: 4, fold, seed });
    const parts = await Promise.all([0, 1, 2, 3].map((i) => fold(i)));
    const held = parts.flatMap(({ val }) => val.samples.map(({ path }) => path));
    expect(held).toHaveLength(20);
    expect(new Set(held).size).toBe(20);
    for (const { train, val } of parts) {
      expect([train.samples.length, val.samples.length]).toEqual([15, 5]);
      const per = [0, 1, 2].map((label) => val.samples.filter((sample) => sample.label === label).length);
      expect(Math.max(...per) - Math.min(...per)).toBeLessThanOrEqual(1);
    }
    expect((await fold(0)).val.samples).toEqual(parts[0].val.samples);
    expect((await fold(0, 2)).val.samples).not.toEqual(parts[0].val.samples);
    expect(await failure(dir, { folds: 4, fold: 4 })).toMatch(/fold 4 is not one of 0 to 3/);
  });
});

describe("a data fingerprint", () => {
  it("is the same for a copy, another for other labels, sizes or classes", async () => {
    const [first, second] = ["one", "two"].map((name) => {
      for (const [i, png] of pngs.entries()) write(`${name}/${NAMES[labels[i]]}/${i}.png`, png);
      return join(dir, name);
    });
    const print = async (path: string) => dataFingerprint((await openData(path, { valFraction: 0 })).train);
    const before = await print(first);
    expect(before).toMatch(/^[0-9a-f]{32}$/);
    expect(await print(second)).toBe(before);
    writeFileSync(join(second, "cat/0.png"), Buffer.concat([pngs[0], Buffer.alloc(1)]));
    expect(await print(second)).not.toBe(before);
    const { train } = await openData(first, { valFraction: 0 });
    const swapped = train.samples.map((sample, i) => (i === 0 ? { ...sample, label: 2 } : sample));
    expect(await dataFingerprint({ ...train, samples: swapped })).not.toBe(before);
    expect(await dataFingerprint({ ...train, classes: ["x", "y", "z"] })).not.toBe(before);
  });
});

describe("a loader over files of many samples", () => {
  const batches = async (dataset: ImageDataset, workers: number, from = 0, augRepeats = 1, cacheBytes?: number) => {
    const transform = augRepeats > 1 ? trainTransform({ size: 16 }) : evalTransform({ size: 32, cropPct: 1 });
    const options = { dataset, transform, seed: 3, workers, augRepeats, cacheBytes, shuffleBuffer: 6, batchSize: 4 };
    const loader = createLoader({ ...options, shuffle: true, dropLast: true });
    try {
      const out = [];
      for await (const batch of loader.epoch(1, from)) out.push(batch);
      return out;
    } finally {
      await loader.close();
    }
  };

  it("gives the same batches whatever the workers and the cache, and from the middle of an epoch", async () => {
    write("c/data_batch_1.bin", cifar(0, 20));
    write("w/train.tar", shard(0, 20));
    write("p/train.parquet", parquet(0, 20));
    for (const name of ["c", "w", "p"]) {
      const { train } = await openData(join(dir, name), { valFraction: 0 });
      const expected = await batches(train, 0);
      expect(expected).toHaveLength(5);
      expect(await batches(train, 2)).toEqual(expected);
      expect(await batches(train, 1, 3, 1, 0)).toEqual(expected.slice(3));
    }
  });

  it("cuts the repeats of an image differently", async () => {
    write("data_batch_1.bin", cifar(0, 20));
    const { train } = await openData(dir, { valFraction: 0 });
    const all = await batches(train, 0, 0, 2);
    expect([...all[0].indices].map((index, i) => index === all[0].indices[i - (i % 2)])).toEqual(Array(4).fill(true));
    const image = (i: number) => all[0].images.subarray(i * 768, (i + 1) * 768);
    expect(Buffer.compare(image(0), image(1))).not.toBe(0);
    expect(await batches(train, 2, 1, 2)).toEqual(all.slice(1));
  });

  it("skips a row without an image and a shard that was cut meanwhile, by name", async () => {
    const path = write("train.tar", shard(0, 6));
    const { train } = await openData(dir, { valFraction: 0 });
    truncateSync(path, 512);
    const reader = openSamples(train.files ?? []);
    await expect(reader.decode(train.samples[1])).rejects.toThrow("train.tar/a/1.png: its file has become shorter");
    reader.close();
  });
});

describe("files of samples, fuzzed", () => {
  /** Opens and reads all; errors are ours, in one line. */
  const survives = async (path: string, options?: OpenDataOptions) => {
    try {
      const { train } = await openData(path, { valFraction: 0, ...options });
      const reader = openSamples(train.files ?? []);
      for (const sample of train.samples.slice(0, 8)) {
        await reader
          .decode(sample)
          .catch((error) => expect(error).toMatchObject({ name: "TesseraeError", code: "data" }));
      }
      reader.close();
    } catch (error) {
      expect(error).toMatchObject({ name: "TesseraeError" });
      expect((error as Error).message).not.toContain("\n");
    }
  };
  const edits = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 6,
  });
  const kinds: [string, () => Uint8Array, number][] = [
    ["x.tar", () => shard(0, 4), 4096],
    ["x.parquet", () => parquet(0, 4, { group: 2 }), 700],
    ["x.csv", () => Buffer.from('path,label\n"a.png",1\nb.png,"2"\n'), 40],
  ];
  it.each(kinds)("of %s give one line or are skipped", async (name, make, tail) => {
    const whole = Buffer.from(make());
    await fc.assert(
      fc.asyncProperty(
        edits,
        fc.boolean(),
        fc.double({ min: 0.2, max: 1, noNaN: true }),
        async (changes, front, keep) => {
          const bytes = Buffer.from(whole);
          const span = Math.min(tail, bytes.length) - 1;
          for (const [at, value] of changes) {
            const offset = Math.floor(at * span);
            bytes[front ? offset : bytes.length - 1 - offset] = value;
          }
          await survives(write(name, keep < 0.3 ? bytes.subarray(0, Math.floor(keep * bytes.length)) : bytes));
        },
      ),
      fuzzing(1, { runs: 60, seconds: 4 }),
    );
  });
});
