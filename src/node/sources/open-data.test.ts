import { rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openData, openSplit } from "./open-data.ts";
import {
  COUNT,
  cifar,
  decoded,
  dir,
  expectImages,
  failure,
  labels,
  NAMES,
  parquet,
  pngs,
  shard,
  tar,
  u32,
  write,
  writeCifar10,
  writeCsv,
} from "./test-files.ts";
import { expandBraces } from "./webdataset.ts";

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
