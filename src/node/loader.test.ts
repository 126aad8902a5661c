import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { ImageDataset } from "../data/dataset.ts";
import type { Batch, Loader, LoaderOptions } from "../data/loader.ts";
import { keyed, permutation } from "../data/random.ts";
import { evalTransform, trainTransform } from "../data/transform.ts";
import { createLoader } from "./loader.ts";

const workerFile = vi.hoisted(() => ({ instead: undefined as URL | undefined }));
vi.mock("./worker-url.ts", async (original) => {
  const { workerUrl } = await original<typeof import("./worker-url.ts")>();
  return { workerUrl: (name: string) => workerFile.instead ?? workerUrl(name) };
});

const folder = mkdtempSync(join(tmpdir(), "tesserae-loader-"));
const COUNT = 22;
const BAD = new Map([
  [5, "empty.png"],
  [6, "cut.jpg"],
  [13, "missing.jpg"],
]);
let good: ImageDataset;
let damaged: ImageDataset;

beforeAll(async () => {
  const random = keyed(4);
  const samples = [];
  for (let i = 0; i < COUNT; i++) {
    const [width, height] = [20 + random.int(20), 20 + random.int(20)];
    const data = Buffer.from(Array.from({ length: width * height * 3 }, () => random.int(256)));
    const path = join(folder, `${i}${i % 2 ? ".png" : ".jpg"}`);
    await sharp(data, { raw: { width, height, channels: 3 } }).toFile(path);
    samples.push({ path, label: i % 3 });
  }
  good = { classes: ["a", "b", "c"], samples, root: folder };
  writeFileSync(join(folder, "empty.png"), "");
  const cut = join(folder, "cut.jpg");
  await sharp(samples[0].path).resize(300, 300).toFile(cut);
  truncateSync(cut, 2000);
  const replaced = samples.map((s, i) => (BAD.has(i) ? { path: join(folder, BAD.get(i)!), label: 2 } : s));
  damaged = { ...good, samples: replaced };
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const opened: Loader[] = [];
afterEach(async () => {
  workerFile.instead = undefined;
  await Promise.all(opened.splice(0).map((loader) => loader.close()));
});

function open(options: Partial<LoaderOptions> = {}): Loader {
  const loader = createLoader({
    dataset: good,
    batchSize: 4,
    transform: trainTransform({ size: 16 }),
    shuffle: true,
    dropLast: true,
    seed: 1,
    workers: 0,
    ...options,
  });
  opened.push(loader);
  return loader;
}

async function collect(loader: Loader, epoch = 0, from = 0): Promise<Batch[]> {
  const batches: Batch[] = [];
  for await (const batch of loader.epoch(epoch, from)) batches.push(batch);
  return batches;
}

const indices = (batches: Batch[]) => batches.flatMap((batch) => [...batch.indices]);
const message = (promise: Promise<unknown>) =>
  promise.then(
    () => "no error",
    (error: Error) => `${error.name} ${error.message}`,
  );

describe("the loader", () => {
  it("gives the same batches whatever the number of workers, the look-ahead and the cache", async () => {
    const one = open();
    const expected = [await collect(one, 0), await collect(one, 1)];
    expect(expected[0]).toHaveLength(5);
    expect(expected[0]).not.toEqual(expected[1]);
    const variants = [{ workers: 1 }, { workers: 3, prefetch: 1 }, { workers: 3, cacheBytes: 0 }, { cacheBytes: 9000 }];
    for (const variant of variants) {
      const loader = open(variant);
      expect([await collect(loader, 0), await collect(loader, 1)]).toEqual(expected);
      // From the cache, by other threads than filled it.
      expect(await collect(loader, 0)).toEqual(expected[0]);
    }
  });

  it("visits every image once an epoch, in the order of the seed", async () => {
    const batches = await collect(open({ dropLast: false }), 3);
    const seen = indices(batches).filter((i) => i >= 0);
    expect(seen).toEqual([...permutation(COUNT, 1, 3)]);
    for (const { labels, indices, count } of batches) {
      expect([...labels]).toEqual([...indices].map((i) => (i < 0 ? -1 : i % 3)));
      expect(count).toBe([...labels].filter((label) => label >= 0).length);
    }
  });

  it("pads the last batch of an evaluation with label -1 and zeros", async () => {
    const loader = open({ shuffle: false, dropLast: false, transform: evalTransform({ size: 16 }), workers: 2 });
    expect(loader.batchesPerEpoch).toBe(6);
    const batches = await collect(loader);
    expect(indices(batches)).toEqual([...Array.from({ length: COUNT }, (_, i) => i), -1, -1]);
    const last = batches[5];
    expect([last.count, ...last.labels.subarray(2)]).toEqual([2, -1, -1]);
    const size = 3 * 16 * 16;
    expect(last.images.subarray(2 * size).every((v) => v === 0)).toBe(true);
    expect(last.images.subarray(0, size).some((v) => v !== 0)).toBe(true);
  });

  it("resumes at batch k with the very batches that were to come", async () => {
    const all = await collect(open(), 2);
    for (const workers of [0, 2]) expect(await collect(open({ workers }), 2, 3)).toEqual(all.slice(3));
    expect(await collect(open(), 2, 5)).toEqual([]);
  });

  it("gives grey", async () => {
    const [batch] = await collect(open({ inChans: 1, workers: 1 }));
    expect(batch.images).toHaveLength(4 * 16 * 16);
    const again = open({ inChans: 1 });
    await collect(again);
    expect((await collect(again))[0]).toEqual(batch);
  });
});

describe("files that cannot be read", () => {
  it("give their place to the next in order when training, the same with any number of workers", async () => {
    const one = open({ dataset: damaged, dropLast: false });
    const expected = await collect(one, 1);
    const order = [...permutation(COUNT, 1, 1)];
    const wanted = order.map((_, at) => [...order.slice(at), ...order].find((i) => !BAD.has(i)));
    expect(indices(expected).filter((i) => i >= 0)).toEqual(wanted);
    const reasons = [...BAD.values()].map((name) => [join(folder, name), one.skipped.get(join(folder, name))]);
    expect(reasons[0][1]).toBe("the file is empty (zero bytes)");
    expect(reasons[1][1]).toBe("truncated");
    expect(reasons[2][1]).toBe("no such file");
    const other = open({ dataset: damaged, dropLast: false, workers: 3 });
    expect(await collect(other, 1)).toEqual(expected);
    expect(new Map(other.skipped)).toEqual(new Map(one.skipped));
    expect(one.skipped.size).toBe(3);
  });

  it("have label -1 in evaluation, and are not counted", async () => {
    const transform = evalTransform({ size: 16 });
    const loader = open({ dataset: damaged, transform, shuffle: false, dropLast: false, workers: 1 });
    const batches = await collect(loader);
    expect(batches.map(({ count }) => count)).toEqual([4, 2, 4, 3, 4, 2]);
    expect([...batches[1].labels]).toEqual([1, -1, -1, 1]);
    expect(loader.skipped.size).toBe(3);
  });

  it("are errors with strict", async () => {
    for (const workers of [0, 1]) {
      const text = await message(collect(open({ dataset: damaged, strict: true, shuffle: false, workers })));
      expect(text).toBe(`TesseraeError ${join(folder, "empty.png")}: the file is empty (zero bytes)`);
    }
  });

  it("end training when there is nothing else", async () => {
    const samples = Array.from({ length: 8 }, (_, i) => ({ path: join(folder, `none${i}.jpg`), label: 0 }));
    const text = await message(collect(open({ dataset: { ...good, samples } })));
    expect(text).toMatch(/no image can be read among 8 in a row; the last is .*none\d.jpg: no such file/);
  });
});

describe("stopping", () => {
  it("leaves the loader usable when an epoch is abandoned", async () => {
    for (const workers of [0, 2]) {
      const loader = open({ workers, cacheBytes: 0 });
      const expected = await collect(loader, 1);
      for (let i = 0; i < 5; i++) {
        for await (const _ of loader.epoch(0)) if (i % 2 === 0) break;
        const iterator = loader.epoch(0)[Symbol.asyncIterator]();
        void iterator.next();
        await iterator.return!();
      }
      expect(await collect(loader, 1)).toEqual(expected);
    }
  });

  it("runs two epochs side by side", async () => {
    const loader = open({ workers: 2 });
    const [a, b] = await Promise.all([collect(loader, 0), collect(loader, 1)]);
    expect([a, b]).toEqual([await collect(loader, 0), await collect(loader, 1)]);
  });

  it("closes at any moment, and is then closed", async () => {
    for (const workers of [0, 2]) {
      const loader = open({ workers });
      const iterator = loader.epoch(0)[Symbol.asyncIterator]();
      await iterator.next();
      const pending = message(
        iterator
          .next()
          .then(() => iterator.next())
          .then(() => iterator.next()),
      );
      await loader.close();
      expect(await pending).toMatch(/no error|the data loader is closed/);
      expect(await message(collect(loader))).toMatch(/the data loader is closed/);
    }
  });

  it("reports a worker that dies rather than waiting for it", async () => {
    const module = (code: string) => new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const onMessage = 'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => ';
    for (const [code, expected] of [
      ['throw new Error("no decoder")', /a data worker stopped: no decoder/],
      [`${onMessage} process.exit(7))`, /a data worker stopped: exit code 7/],
      [`${onMessage} { throw new Error("boom"); })`, /a data worker stopped: boom/],
    ] as const) {
      workerFile.instead = module(code);
      const loader = open({ workers: 2 });
      expect(await message(collect(loader))).toMatch(expected);
      expect(await message(collect(loader))).toMatch(expected);
    }
  });
});

it("refuses options that make no sense", () => {
  expect(() => open({ batchSize: 0 })).toThrow(/batch size 0/);
  expect(() => open({ workers: -1 })).toThrow(/workers -1/);
  expect(() => open({ inChans: 4 })).toThrow(/4 input channels/);
  expect(() => open({ batchSize: 64 })).toThrow(/22 images do not fill a batch of 64. Take a smaller batch size/);
  expect(() => open({ dataset: { ...good, samples: [] } })).toThrow(/no images/);
  expect(() => open().epoch(0, 9)).toThrow(/batch 9 is not one of the epoch's 5/);
});
