import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import sharp from "sharp";
import { Header } from "tar/header";
import { afterAll, beforeAll, beforeEach, expect } from "vitest";
import type { ImageDataset } from "../../data/dataset.ts";
import { keyed } from "../../data/random.ts";
import { openSamples } from "../sample-reader.ts";
import { type OpenDataOptions, openData } from "./open-data.ts";

/** Data sets of every kind with the same drawn images, for tests: each test has a folder `dir` of its own. */
const root = mkdtempSync(join(tmpdir(), "tesserae-sources-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
export let dir = "";
let turn = 0;
beforeEach(() => {
  dir = join(root, String(turn++));
});

const SIDE = 32;
export const COUNT = 24;
export const NAMES = ["cat", "dog", "eel"];
export const labels = Array.from({ length: COUNT }, (_, i) => (i * 7) % 3);
/** Interleaved pixels of the test images, and the same as PNG. */
export const pixels: Uint8Array[] = [];
export const pngs: Buffer[] = [];
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

export function write(name: string, bytes: string | Uint8Array): string {
  const path = join(dir, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

export const u32 = (...values: number[]): Buffer => {
  const out = Buffer.alloc(4 * values.length);
  values.forEach((v, i) => void out.writeUInt32BE(v, 4 * i));
  return out;
};

// ---- writers of each layout

const planar = (i: number): Buffer => {
  const data = pixels[i];
  return Buffer.from(Array.from({ length: 3072 }, (_, p) => data[(p % 1024) * 3 + Math.floor(p / 1024)]));
};
export const cifar = (from: number, to: number, front: (i: number) => number[] = (i) => [labels[i]]): Buffer =>
  Buffer.concat(
    Array.from({ length: to - from }, (_, k) => Buffer.concat([Buffer.from(front(from + k)), planar(from + k)])),
  );

export function writeCifar10(): string {
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
export const tar = (entries: [path: string, body: string | Uint8Array][]): Buffer =>
  Buffer.concat([
    ...entries.map(([path, body]) => {
      const bytes = Buffer.from(body);
      return Buffer.concat([tarHeader(path, bytes.length), bytes, Buffer.alloc(-bytes.length & 511)]);
    }),
    Buffer.alloc(1024),
  ]);
export const shard = (from: number, to: number, label = (i: number) => String(labels[i])) =>
  tar(
    Array.from({ length: to - from }, (_, k): [string, string | Uint8Array][] => [
      [`a/${from + k}.png`, pngs[from + k]],
      [`a/${from + k}.cls`, label(from + k)],
    ]).flat(),
  );

export function parquet(
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

export function writeCsv(name = "train.csv", from = 0, to = COUNT): string {
  for (let i = from; i < to; i++) write(`img/${i}, "x".png`, pngs[i]);
  const lines = Array.from({ length: to - from }, (_, k) => `"img/${from + k}, ""x"".png",${NAMES[labels[from + k]]}`);
  return write(name, `path,label\n${lines.join("\n")}\n`);
}

// ---- what comes out

/** The pixels of each sample, as its place is read. */
export async function decoded({ samples, files = [] }: ImageDataset): Promise<Uint8Array[]> {
  const reader = openSamples(files);
  try {
    return await Promise.all(samples.map(async (sample) => new Uint8Array((await reader.decode(sample)).data)));
  } finally {
    reader.close();
  }
}

export async function expectImages(dataset: ImageDataset, from: number, to: number): Promise<void> {
  expect(dataset.samples.map(({ label }) => label)).toEqual(labels.slice(from, to));
  expect((await decoded(dataset)).every((image, i) => Buffer.compare(image, pixels[from + i]) === 0)).toBe(true);
}

export const failure = (path = dir, options: OpenDataOptions = {}) =>
  openData(path, options).then(
    () => "no error",
    (error: Error & { code?: string }) => {
      expect(error.name).toBe("TesseraeError");
      expect(error.message).not.toContain("\n");
      return error.message.replaceAll(dir, "DIR");
    },
  );
