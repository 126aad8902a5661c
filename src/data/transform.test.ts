import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { augmentations } from "./augment/index.ts";
import { randomCrop } from "./augment/random-crop.ts";
import { randomResizedCrop } from "./augment/random-resized-crop.ts";
import { type Frame, wholeFrame } from "./frame.ts";
import { type PixelImage, toGrey, toPlanar } from "./image.ts";
import { keyed } from "./random.ts";
import { centerCrop, resize, resizeShortSide } from "./resize.ts";
import { applyTransform, evalFrame, evalTransform, type Transform, trainTransform } from "./transform.ts";

function noise(width: number, height: number): PixelImage {
  const random = keyed(width, height);
  return { width, height, channels: 3, data: Uint8Array.from({ length: width * height * 3 }, () => random.int(256)) };
}

function run(transform: Transform, image: PixelImage, index = 0, epoch = 0, inChans: 1 | 3 = 3): Uint8Array {
  const out = new Uint8Array(inChans * transform.size[0] * transform.size[1]);
  applyTransform(transform, image, inChans, { seed: 1, epoch, index }, out);
  return out;
}

const cropOf = (width: number, height: number, i: number, ratio: [number, number] = [3 / 4, 4 / 3]): Frame => {
  const context = { width, height, size: [32, 32] as const };
  const config = { scale: [0.08, 1] as const, ratio, interpolation: "random" as const };
  return randomResizedCrop.frame!(wholeFrame(context, "bicubic"), config, keyed(1, i), context);
};

describe("augmentations", () => {
  it("have one file and one line of the table each", () => {
    const files = readdirSync(fileURLToPath(new URL("./augment/", import.meta.url)))
      .filter((name) => name !== "index.ts" && !name.endsWith(".test.ts"))
      .map((name) => name.replace(/\.ts$/, "").replace(/-(.)/g, (_, c: string) => c.toUpperCase()));
    expect(Object.keys(augmentations).sort()).toEqual(files.sort());
  });

  it("crop within the image, areas over the whole range, both filters", () => {
    const frames = Array.from({ length: 2000 }, (_, i) => cropOf(200, 150, i));
    const areas = frames.map(({ box }) => (box.width * box.height) / 30_000);
    for (const { box } of frames) {
      expect(box.x >= 0 && box.y >= 0 && box.x + box.width <= 200 && box.y + box.height <= 150).toBe(true);
      expect(box.width / box.height).toBeGreaterThan(0.72);
      expect(box.width / box.height).toBeLessThan(1.4);
    }
    expect(Math.min(...areas)).toBeLessThan(0.1);
    expect(Math.max(...areas)).toBeGreaterThan(0.93);
    const bicubic = frames.filter(({ filter }) => filter === "bicubic").length;
    expect(Math.abs(bicubic - 1000)).toBeLessThan(120);
    expect(frames.some(({ box }) => box.x === 0) && frames.some(({ box }) => box.x + box.width === 200)).toBe(true);
  });

  it("fall back to the largest central crop of an image too long for the ratio", () => {
    expect(cropOf(1000, 10, 0, [3 / 4, 4 / 3]).box.height).toBeLessThanOrEqual(10);
    const boxes = Array.from({ length: 300 }, (_, i) => cropOf(4000, 3, i).box);
    expect(boxes).toContainEqual({ x: 1998, y: 0, width: 4, height: 3 });
    expect(cropOf(1, 1, 0).box).toEqual({ x: 0, y: 0, width: 1, height: 1 });
  });

  it("pad and crop: every shift within the padding, black outside", () => {
    const image: PixelImage = { width: 8, height: 8, data: new Uint8Array(192).fill(200) };
    const transform = trainTransform({ size: 8, crop: "pad", padding: 2, hflip: 0 });
    const shifts = new Set<string>();
    for (let i = 0; i < 400; i++) {
      const out = run(transform, image, i);
      const black = out.filter((v) => v === 0).length;
      expect(out.length - black).toBe(out.filter((v) => v === 200).length);
      const context = { width: 8, height: 8, size: [8, 8] as const };
      const config = { padding: 2, interpolation: "bilinear" as const };
      const { x, y } = randomCrop.frame!(wholeFrame(context, "bilinear"), config, keyed(1, i), context);
      shifts.add(`${x},${y}`);
    }
    expect(shifts.size).toBe(25);
  });

  it("flip about half the time, and one augmentation does not disturb another", () => {
    const image = noise(8, 8);
    const plain = trainTransform({ size: 8, crop: "pad", padding: 0, hflip: 0.5 });
    const mirrored = run({ ...plain, hflip: 1 }, image);
    const flips = Array.from({ length: 400 }, (_, i) => run(plain, image, i)).filter((out) => {
      const same = out.every((v, j) => v === mirrored[j]);
      if (!same) expect(out).toEqual(toPlanar(image));
      return same;
    });
    expect(Math.abs(flips.length - 200)).toBeLessThan(45);
    const padded = { ...plain, padding: 3 };
    for (let i = 0; i < 20; i++) {
      // The crop of a sample is the same with and without the flip.
      const [a, b] = [run({ ...padded, hflip: 0 }, image, i), run({ ...padded, hflip: 1 }, image, i)];
      for (let p = 0; p < 192; p++) expect(a[p]).toBe(b[p - (p % 8) + 7 - (p % 8)]);
    }
  });

  it("differ from sample to sample and epoch to epoch, and repeat", () => {
    const transform = trainTransform({ size: [24, 16] });
    const image = noise(60, 50);
    expect(run(transform, image, 3, 2)).toEqual(run(transform, image, 3, 2));
    expect(run(transform, image, 3, 2)).not.toEqual(run(transform, image, 4, 2));
    expect(run(transform, image, 3, 2)).not.toEqual(run(transform, image, 3, 3));
  });
});

describe("transforms", () => {
  it("evaluate as resize then centre crop, squash as a resize of both sides", () => {
    const image = noise(120, 90);
    const expected = toPlanar(centerCrop(resizeShortSide(image, Math.floor(32 / 0.875)), 32, 32));
    expect(run(evalTransform({ size: 32 }), image)).toEqual(expected);
    const squash = evalTransform({ size: 32, cropMode: "squash", cropPct: 1, interpolation: "bilinear" });
    const squashed = toPlanar(resize(image, { width: 32, height: 32, filter: "bilinear" }));
    expect(run(squash, image)).toEqual(squashed);
  });

  it("size the resize as timm does", () => {
    expect(evalFrame(evalTransform({ size: 224 }), 500, 375)).toMatchObject({ width: 341, height: 256, x: 58, y: 16 });
    const tall = evalFrame(evalTransform({ size: [224, 160], cropPct: 1 }), 500, 375);
    expect(tall).toMatchObject({ width: 299, height: 224, x: 70, y: 0 });
  });

  it("give grey by Pillow's luma, before the resize", () => {
    const image = noise(40, 40);
    const expected = resize(toGrey(image), { width: 16, height: 16 }).data;
    expect(run(evalTransform({ size: 16, cropPct: 1 }), image, 0, 0, 1)).toEqual(expected);
  });

  it("are plain data", () => {
    const transform = trainTransform({ size: 16, augment: [{ name: "horizontalFlip", p: 0.5 }] });
    expect(JSON.parse(JSON.stringify(transform))).toEqual(transform);
    expect(run(JSON.parse(JSON.stringify(transform)), noise(30, 30))).toEqual(run(transform, noise(30, 30)));
  });

  it("refuse settings that make no sense", () => {
    expect(() => trainTransform({ size: 0 })).toThrow(/image size 0x0/);
    expect(() => trainTransform({ size: 8, scale: [0.5, 0.1] })).toThrow(/scale 0.5 to 0.1/);
    expect(() => trainTransform({ size: 8, hflip: 2 })).toThrow(/hflip 2/);
    expect(() => evalTransform({ size: 8, cropPct: 0 })).toThrow(/cropPct 0/);
    const augment = [{ name: "sparkle" }] as never;
    expect(() => trainTransform({ size: 8, augment })).toThrow(/no augmentation "sparkle"; there are horizontalFlip/);
  });
});

describe("transforms of experiments on inductive bias", () => {
  const image = noise(8, 8);
  const whole = evalTransform({ size: 8, cropPct: 1 });

  it("permute pixels alike in every image and channel, in training and evaluation, and lose none", () => {
    const plain = run(whole, image);
    const permuted = run({ ...whole, permutePixels: 7 }, image);
    const training = trainTransform({ size: 8, crop: "pad", padding: 0, hflip: 0, permutePixels: 7 });
    expect(run(training, image, 3, 2)).toEqual(permuted);
    expect(run({ ...whole, permutePixels: 8 }, image)).not.toEqual(permuted);
    // Where each pixel went, read off an image in which all differ.
    const ramp: PixelImage = {
      width: 8,
      height: 8,
      data: Uint8Array.from({ length: 192 }, (_, i) => Math.floor(i / 3)),
    };
    const order = run({ ...whole, permutePixels: 7 }, ramp).subarray(0, 64);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, i) => i));
    expect(permuted).toEqual(plain.map((_, i) => plain[64 * Math.floor(i / 64) + order[i % 64]]));
  });

  it("translate by every whole number of pixels up to the bound, each image the same way every time", () => {
    const bright: PixelImage = { width: 8, height: 8, data: new Uint8Array(192).fill(200) };
    const shifting = evalTransform({ size: 8, cropPct: 1, translate: 2 });
    const shifts = new Set<string>();
    for (let i = 0; i < 300; i++) {
      const out = run(shifting, bright, i);
      expect(run(shifting, bright, i, 5)).toEqual(out);
      const rows = Array.from({ length: 8 }, (_, y) => out.subarray(8 * y, 8 * y + 8).some((v) => v > 0));
      const columns = Array.from({ length: 8 }, (_, x) => rows.some((_, y) => out[8 * y + x] > 0));
      const of = (lit: boolean[]) => lit.indexOf(true) - (7 - lit.lastIndexOf(true));
      shifts.add(`${of(columns)},${of(rows)}`);
      expect(out.filter((v) => v === 0).length).toBe(3 * (64 - (8 - Math.abs(of(rows))) * (8 - Math.abs(of(columns)))));
    }
    expect(shifts.size).toBe(25);
    expect(run({ ...shifting, translate: 0 }, image)).toEqual(run(whole, image));
    expect(() => evalTransform({ size: 8, translate: 1.5 })).toThrow(/translate 1.5 is not a whole number/);
  });
});
