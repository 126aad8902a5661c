import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import sharp from "sharp";
import { Header } from "tar/header";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { fuzzing } from "../../../test/fuzz.ts";
import type { ImageDataset } from "../../data/dataset.ts";
import { keyed } from "../../data/random.ts";
import { evalTransform, trainTransform } from "../../data/transform.ts";
import { createLoader } from "../loader.ts";
import { openSamples } from "../sample-reader.ts";
import { dataFingerprint } from "./fingerprint.ts";
import { type OpenDataOptions, openData, openSplit } from "./open-data.ts";
import { splitOfName } from "./source.ts";
import { expandBraces } from "./webdataset.ts";

const root = mkdtempSync(join(tmpdir(), "tesserae-sources-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let dir = "";
let turn = 0;
beforeEach(() => {
  dir = join(root, String(turn++));
});

const SIDE = 32;
const COUNT = 24;
const NAMES = ["cat", "dog", "eel"];
const labels = Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
/** Interleaved pixels of the test images, and the same as PNG. */
const pixels: Uint8Array[] = [];
const pngs: Buffer[] = [];
beforeAll(async () => {
  const random = keyed(5);
  for (let i = 0; i < COUNT; i++) {
    const data = Uint8Array.from({ length: SIDE * SIDE * 3 }, () => random.int(256));
    pixels.push(data);
    pngs.push(
      await sharp(data, { raw: { width: SIDE, height: SIDE, channels: 3 } })
        .png()
        .toBuffer(),
    );
  }
});

function write(name: string, bytes: string | Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

const u32 = (...values: number[]): Buffer => {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((v, i) => void out.writeUInt32BE(v, 4 * i));
  return out;
};

// ---- writers of each layout

const planar = (i: number): Buffer => {
  const data = pixels[i];
  return Buffer.from(Array.from({ length: 3072 }, (_, p) => data[(p % 1024) * 3 + Math.floor(p / 1024)]));
};
const cifar = (from: number, to: number, front: (i: number) => number[] = (i) => [labels[i]]): Buffer =>
  Buffer.concat(
    Array.from({ length: to - from }, (_, k) => Buffer.concat([Buffer.from(front(from + k)), planar(from + k)])),
  );

function writeCifar10(): string {
  write("data_batch_1.bin", cifar(0, 10));
  write("data_batch_2.bin", cifar(10, 20));
  write("test_batch.bin", cifar(20, 24));
  write("batches.meta.txt", [...NAMES, ..."defghij"].join("\n"));
  return dir;
}

function tarHeader(path: string, size: number, type: "File" | "Directory" = "File"): Buffer {
  const block = Buffer.alloc(512);
  new Header({ path, size, mode: 0o644, type, mtime: new Date(0) }).encode(block, 0);
  return block;
}
const tar = (entries: [path: string, body: string | Uint8Array][]): Buffer =>
  Buffer.concat([
    ...entries.map(([path, body]) => {
      const bytes = Buffer.from(body);
      return Buffer.concat([tarHeader(path, bytes.length), bytes, Buffer.alloc(-bytes.length & 511)]);
    }),
    Buffer.alloc(1024),
  ]);
const shard = (from: number, to: number, label = (i: number) => String(labels[i])) =>
  tar(
    Array.from({ length: to - from }, (_, k): [string, string | Uint8Array][] => [
      [`a/${from + k}.png`, pngs[from + k]],
      [`a/${from + k}.cls`, label(from + k)],
    ]).flat(),
  );

function parquet(
  from: number,
  to: number,
  { group = 5, codec = "SNAPPY" as "SNAPPY" | "UNCOMPRESSED", note = true } = {},
) {
  const rows = Array.from({ length: to - from }, (_, k) => from + k);
  const features = { image: { _type: "Image" }, label: { _type: "ClassLabel", names: NAMES } };
  const buffer = parquetWriteBuffer({
    schema: [
      { name: "root", num_children: 2 },
      { name: "image", num_children: 2, repetition_type: "OPTIONAL" },
      { name: "bytes", type: "BYTE_ARRAY", repetition_type: "OPTIONAL" },
      { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
      { name: "label", type: "INT64", repetition_type: "OPTIONAL" },
    ],
    columnData: [
      { name: "image", data: rows.map((i) => ({ bytes: new Uint8Array(pngs[i]), path: `${i}.png` })) },
      { name: "label", data: rows.map((i) => BigInt(labels[i])) },
    ],
    rowGroupSize: group,
    codec,
    kvMetadata: note ? [{ key: "huggingface", value: JSON.stringify({ info: { features } }) }] : [],
  });
  return new Uint8Array(buffer);
}

function writeCsv(name = "train.csv", from = 0, to = COUNT): string {
  for (let i = from; i < to; i++) write(`img/${i}, "x".png`, pngs[i]);
  const lines = Array.from({ length: to - from }, (_, k) => `"img/${from + k}, ""x"".png",${NAMES[labels[from + k]]}`);
  return write(name, `path,label\n${lines.join("\n")}\n`);
}

// ---- what comes out

/** The pixels of each sample, as its place is read. */
async function decoded({ samples, files = [] }: ImageDataset): Promise<Uint8Array[]> {
  const reader = openSamples(files);
  try {
    return await Promise.all(samples.map(async (sample) => new Uint8Array((await reader.decode(sample)).data)));
  } finally {
    reader.close();
  }
}

async function expectImages(dataset: ImageDataset, from: number, to: number): Promise<void> {
  expect(dataset.samples.map(({ label }) => label)).toEqual(labels.slice(from, to));
  expect((await decoded(dataset)).every((image, i) => Buffer.compare(image, pixels[from + i]) === 0)).toBe(true);
}

const failure = (path = dir, options: OpenDataOptions = {}) =>
  openData(path, options).then(
    () => "no error",
    (error: Error & { code?: string }) => {
      expect(error.name).toBe("TesseraeError");
      expect(error.message).not.toContain("\n");
      return error.message.replaceAll(dir, "DIR");
    },
  );

describe("CIFAR binaries", () => {
  it("give train, test, class names and the very pixels", async () => {
    const { kind, train, val, valSplit } = await openData(writeCifar10());
    expect([kind, valSplit, train.classes.slice(0, 4)]).toEqual(["cifar10", "test", [...NAMES, "d"]]);
    await expectImages(train, 0, 20);
    await expectImages(val, 20, 24);
  });

  it("have fine and coarse labels in CIFAR-100", async () => {
    const front = (i: number) => [labels[i], 99 - labels[i]];
    write("cifar-100-binary/train.bin", cifar(0, 9, front));
    write("cifar-100-binary/fine_label_names.txt", Array.from({ length: 100 }, (_, i) => `f${i}`).join("\n"));
    const fine = (await openData(dir, { valFraction: 0 })).train;
    expect(fine.samples.map(({ label }) => label)).toEqual(labels.slice(0, 9).map((label) => 99 - label));
    const coarse = (await openData(dir, { valFraction: 0, labelColumn: "coarse" })).train;
    await expectImages(coarse, 0, 9);
    expect(coarse.classes).toHaveLength(20);
    expect(await failure(dir, { labelColumn: "colour" })).toMatch(/has no labels "colour". It has coarse and fine$/);
  });

  it("are refused when cut, too long, or with labels that are no class", async () => {
    const path = join(writeCifar10(), "data_batch_2.bin");
    truncateSync(path, 30_000);
    expect(await failure()).toMatch(/^DIR\/data_batch_2.bin: 30000 bytes are not a whole number of records of 3073/);
    write(
      "data_batch_2.bin",
      cifar(0, 3, (i) => [i === 2 ? 10 : 1]),
    );
    expect(await failure()).toBe("DIR/data_batch_2.bin: record 2 has label 10; there are 10 classes");
    write("data_batch_2.bin", "");
    expect(await failure()).toBe("DIR/data_batch_2.bin: the file is empty (zero bytes)");
  });

  it("are refused in Python's pickled form, with a hint", async () => {
    write("data_batch_1", "pickle");
    expect(await failure()).toMatch(/pickled form, which only Python reads. Use the binary version/);
    expect(await failure(dir, { dataset: "cifar10" })).toMatch(/holds no cifar10 data: .*Use the binary version/);
  });
});

describe("MNIST's IDX files", () => {
  const grey = (n: number) => Buffer.from(Array.from({ length: n * 6 }, (_, i) => (i * 37) % 256));
  const images = (n: number) => Buffer.concat([u32(0x803, n, 2, 3), grey(n)]);
  const marks = (n: number) => Buffer.concat([u32(0x801, n), Buffer.from(labels.slice(0, n))]);

  it("give the same plain and gzipped, as grey", async () => {
    write("train-images-idx3-ubyte", images(9));
    write("train-labels-idx1-ubyte", marks(9));
    const plain = (await openData(dir, { valFraction: 0 })).train;
    expect(plain.samples.map(({ label }) => label)).toEqual(labels.slice(0, 9));
    expect(Buffer.concat(await decoded(plain))).toEqual(grey(9));
    const other = join(dir, "MNIST/raw");
    write("MNIST/raw/train-images-idx3-ubyte.gz", gzipSync(images(9)));
    write("MNIST/raw/train-labels-idx1-ubyte.gz", gzipSync(marks(9)));
    expect(Buffer.concat(await decoded((await openData(other, { valFraction: 0 })).train))).toEqual(grey(9));
  });

  it("are refused when they lie", async () => {
    const cases: [Buffer, Buffer, RegExp][] = [
      [images(9).subarray(0, 60), marks(9), /images-idx3-ubyte: 9 x 2 x 3 values are announced, there are 44$/],
      [
        Buffer.concat([u32(0x803, 2 ** 32 - 1, 2 ** 32 - 1, 2 ** 32 - 1), grey(1)]),
        marks(9),
        /are announced, there are 6$/,
      ],
      [images(9), marks(8), /labels-idx1-ubyte: has 8 labels for 9 images$/],
      [images(9), images(9), /does not begin as an IDX file of labels$/],
      [Buffer.concat([u32(0x803, 0, 2, 3)]), marks(9), /holds nothing$/],
    ];
    for (const [first, second, expected] of cases) {
      write("train-images-idx3-ubyte", first);
      write("train-labels-idx1-ubyte", second);
      expect(await failure()).toMatch(expected);
    }
    rmSync(join(dir, "train-labels-idx1-ubyte"));
    expect(await failure()).toBe("DIR: has the images of train but not the labels");
    write("train-images-idx3-ubyte", images(9));
    write("train-labels-idx1-ubyte.gz", gzipSync(marks(9)).subarray(0, 20));
    expect(await failure()).toMatch(/labels-idx1-ubyte.gz: damaged or truncated gzip data$/);
  });
});

describe("WebDataset shards", () => {
  it("are read in place, from a folder, a pattern or one tar", async () => {
    write("train-000.tar", shard(0, 12));
    write("train-001.tar", shard(12, 20));
    write("val-000.tar", shard(20, 24));
    const { kind, train, val } = await openData(dir);
    expect(kind).toBe("wds");
    expect(train.samples[0].path).toBe(join(dir, "train-000.tar/a/0.png"));
    await expectImages(train, 0, 20);
    await expectImages(val, 20, 24);
    const pattern = await openData(join(dir, "train-{000..001}.tar"), { valFraction: 0 });
    await expectImages(pattern.train, 0, 20);
    await expectImages((await openSplit(dir, "val")).dataset, 20, 24);
    await expect(openSplit(dir, "dev")).rejects.toThrow("no split dev. It has train, val");
  });

  it("take labels from .cls or .json, numbers or names, and class names from classes.txt", async () => {
    const entries = (label: (i: number) => [string, string]) =>
      tar(
        Array.from({ length: 6 }, (_, i): [string, string | Uint8Array][] => [[`${i}.PNG`, pngs[i]], label(i)]).flat(),
      );
    const open = async () => (await openData(dir, { valFraction: 0 })).train;
    write(
      "0.tar",
      entries((i) => [`${i}.json`, JSON.stringify({ caption: "x", label: NAMES[labels[i]] })]),
    );
    expect((await open()).classes).toEqual(NAMES);
    await expectImages(await open(), 0, 6);
    write(
      "0.tar",
      entries((i) => [`${i}.cls`, `${labels[i]}\n`]),
    );
    expect((await open()).classes).toEqual(["0", "1", "2"]);
    write("classes.txt", NAMES.join("\r\n"));
    expect((await open()).classes).toEqual(NAMES);
    write(
      "0.tar",
      entries((i) => [`${i}.cls`, i === 4 ? "3" : "1"]),
    );
    expect(await failure()).toBe('DIR/0.tar/4.PNG: label "3" is none of the 3 classes');
    write(
      "0.tar",
      entries((i) => [`${i}.json`, i === 2 ? "{}" : '{"label": 1}']),
    );
    expect(await failure()).toBe("DIR/0.tar/2.json: has none of cls, label, class, class_name");
  });

  it("leave out and name what has no pair or comes twice; strict refuses it", async () => {
    const image = (name: string): [string, Uint8Array] => [name, pngs[0]];
    const entries: [string, string | Uint8Array][] = [
      image("a.png"),
      ["a.cls", "0"],
      image("lonely.png"),
      ["blind.cls", "1"],
      image("b.png"),
      ["b.cls", "1"],
      ["b.cls", "0"],
      image("a.png"),
      ["a.cls", "1"],
      ["README", "no key"],
      ["._c.png", "x"],
    ];
    write("0.tar", tar(entries));
    const { train, notes } = await openData(dir, { valFraction: 0 });
    expect(train.samples.map(({ label }) => label)).toEqual([0, 1]);
    expect(notes.map((line) => line.replaceAll(dir, "DIR"))).toEqual([
      "DIR: left out 1 samples without a label: DIR/0.tar/lonely",
      "DIR: left out 1 samples without an image: DIR/0.tar/blind",
      "DIR: left out 1 files that a sample has twice: DIR/0.tar/b.cls",
      "DIR: left out 1 samples whose name came before in their shard: DIR/0.tar/a",
    ]);
    expect(await failure(dir, { strict: true })).toMatch(/^DIR: 1 samples without a label: DIR\/0.tar\/lonely/);
  });

  it("are refused when cut, compressed, or with sizes that cannot be", async () => {
    const whole = shard(0, 6);
    write("0.tar", whole.subarray(0, 700));
    expect(await failure()).toMatch(
      /^DIR\/0.tar: truncated: "a\/0.png" at byte 0 has \d+ bytes, of which 188 are there$/,
    );
    const size = (text: string) => {
      const bytes = Buffer.from(whole);
      bytes.write(text.padEnd(12, "\0"), 124, "latin1");
      bytes.fill(" ", 148, 156);
      const sum = bytes.subarray(0, 512).reduce((a, b) => a + b, 0);
      bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
      return bytes;
    };
    write("0.tar", size("77777777777"));
    expect(await failure()).toMatch(/truncated: "a\/0.png" at byte 0 has 8589934591 bytes/);
    write("0.tar", size("\xff".repeat(12)));
    expect(await failure()).toMatch(/^DIR\/0.tar: (damaged: no valid header at byte 0|"a\/0.png" has no valid size)/);
    const second = 512 + Math.ceil(pngs[0].length / 512) * 512;
    const broken = Buffer.from(whole);
    broken[second + 5] ^= 255;
    write("0.tar", broken);
    expect(await failure()).toBe(`DIR/0.tar: damaged: no valid header at byte ${second}`);
    write("0.tar", gzipSync(whole));
    expect(await failure()).toMatch(/^DIR\/0.tar: is compressed by gzip. Shards are plain tar files/);
    write("0.tar", "<html>");
    expect(await failure()).toMatch(/^DIR\/0.tar: truncated/);
    write("0.tar", "");
    expect(await failure()).toBe("DIR/0.tar: the file is empty (zero bytes)");
  });

  it("have patterns of numbers and words", () => {
    expect(expandBraces("a-{08..11}-{x,y}.tar")).toHaveLength(8);
    expect(expandBraces("a-{08..11}.tar")).toEqual(["a-08.tar", "a-09.tar", "a-10.tar", "a-11.tar"]);
    expect(() => expandBraces("{3..1}.tar")).toThrow("counts down");
    expect(() => expandBraces("{0..999999999}.tar")).toThrow("more than 100000 shards");
  });
});

describe("Parquet files", () => {
  it("are read a row group at a time, with the names and splits of Hugging Face", async () => {
    write("data/train-00000-of-00002.parquet", parquet(0, 12));
    write("data/train-00001-of-00002.parquet", parquet(12, 18, { codec: "UNCOMPRESSED" }));
    write("data/validation-00000-of-00001.parquet", parquet(18, 20));
    write("data/test-00000-of-00001.parquet", parquet(20, 24));
    const { kind, train, val, valSplit } = await openData(dir);
    expect([kind, valSplit, train.classes]).toEqual(["parquet", "validation", NAMES]);
    expect(train.samples[7].place).toMatchObject({ file: 0, block: 1, at: 2 });
    await expectImages(train, 0, 18);
    await expectImages(val, 18, 20);
    await expectImages((await openData(dir, { valSplit: "test" })).val, 20, 24);
  });

  it("go by column names without a description", async () => {
    const path = write("some.parquet", parquet(0, 12, { note: false }));
    const { train } = await openData(path, { valFraction: 0 });
    expect(train.classes).toEqual(["0", "1", "2"]);
    await expectImages(train, 0, 12);
    expect(await failure(path, { labelColumn: "colour" })).toMatch(
      /some.parquet: no column colour. It has image, label$/,
    );
  });

  it("are refused when damaged", async () => {
    const whole = Buffer.from(parquet(0, 12));
    const path = write("x.parquet", whole.subarray(0, whole.length - 20));
    expect(await failure(path)).toMatch(/^DIR\/x.parquet: truncated or damaged/);
    write("x.parquet", "<html>no parquet</html>");
    expect(await failure(path)).toBe("DIR/x.parquet: not a Parquet file");
    const lying = Buffer.from(whole);
    lying.writeUInt32LE(2 ** 31, lying.length - 8);
    write("x.parquet", lying);
    expect(await failure(path)).toMatch(/truncated or damaged \(metadata length 2147483648 exceeds/);
  });
});

describe("CSV lists", () => {
  it("take quoted paths, names of labels, weights and splits", async () => {
    await expectImages((await openData(writeCsv(), { valFraction: 0 })).train, 0, COUNT);
    const lines = [0, 1, 2, 3, 4].map(
      (i) => `${i === 4 ? "val" : "train"},${labels[i]},${i / 2},"img/${i}, ""x"".png"`,
    );
    const path = write("b.csv", `\ufeffSplit,Label,weight,Image\r\n${lines.join("\r\n")}`);
    const { train, val } = await openData(path);
    expect(train.samples.map(({ weight }) => weight)).toEqual([0, 0.5, 1, 1.5]);
    await expectImages(val, 4, 5);
  });

  it("start from another folder, and a wrong one is told", async () => {
    const path = writeCsv("lists/all.csv");
    expect(await failure(path)).toMatch(/^DIR\/lists\/all.csv:2: no such file as DIR\/lists\/img.*see --data-root$/);
    await expectImages((await openData(path, { dataRoot: dir, valFraction: 0 })).train, 0, COUNT);
  });

  it("are refused with the line", async () => {
    writeCsv();
    const image = '"img/0, ""x"".png"';
    const cases: [string, RegExp][] = [
      ["file,name\na,b", /no column of labels in its header: file, name. Call it label/],
      ["a,label\nx,1", /no column of paths in its header/],
      [`path,label\n${image},1,2`, /c.csv:2: Invalid Record Length/],
      [`path,label\n"${"x".repeat(20)}`, /c.csv:2: Quote Not Closed/],
      [`path,label,weight\n${image},1,-2`, /c.csv:2: weight -2 is not a number of 0 or more/],
      [`path,label\n${image},123456789`, /c.csv:2: label 123456789 is too large/],
      ["path,label\n", /lists no images/],
      ["", /the file is empty/],
      ["a\0b", /is not a text file/],
    ];
    for (const [text, expected] of cases) expect(await failure(write("c.csv", text))).toMatch(expected);
    const twice = `path,label\n${image},cat\n${image},dog\n"img/1, ""x"".png",\n"img/2, ""x"".png",dog`;
    const { notes } = await openData(write("c.csv", twice), { valFraction: 0 });
    expect(notes.map((line) => line.replaceAll(dir, "DIR"))).toEqual([
      'DIR/c.csv: left out 1 paths that are listed already: img/0, "x".png (line 3)',
      "DIR/c.csv: left out 1 lines without a label: line 4",
    ]);
  });
});

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
