import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { PixelImage } from "./image.ts";
import { toGrey, toPlanar } from "./image.ts";
import { keyed } from "./random.ts";
import {
  centerCrop,
  centerWindow,
  type ResizeFilter,
  resize,
  resizePlanar,
  resizeShortSide,
  roundHalfEven,
  shortSideSize,
} from "./resize.ts";
import * as simd from "./resize-simd.ts";

vi.mock("./resize-simd.ts", { spy: true });

const shared = fileURLToPath(new URL("../../../shared/", import.meta.url));
const fixtures = join(shared, "fixtures", "resize");
const archive = join(shared, "data", "imagenet20.tar.gz");

async function read(path: string): Promise<PixelImage> {
  const { data, info } = await sharp(path).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data };
}

function noise(width: number, height: number, channels: 1 | 3 = 3, seed = 1): PixelImage {
  const random = keyed(seed);
  return {
    width,
    height,
    channels,
    data: Uint8Array.from({ length: width * height * channels }, () => random.int(256)),
  };
}

function difference(a: PixelImage, b: PixelImage): { max: number; mean: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let max = 0;
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) {
    const d = Math.abs(a.data[i] - b.data[i]);
    max = Math.max(max, d);
    sum += d;
  }
  return { max, mean: sum / a.data.length };
}

/** The definition in double precision, one pass, no rounding between: the result lies within 1 or so. */
function plain(
  image: PixelImage,
  width: number,
  height: number,
  box: number[],
  kernel: (x: number) => number,
  r: number,
) {
  const weights = (size: number, from: number, to: number, out: number) =>
    Array.from({ length: out }, (_, i) => {
      const scale = (to - from) / out;
      const stretch = Math.max(1, scale);
      const centre = from + (i + 0.5) * scale;
      const w = Array.from({ length: size }, (_, j) =>
        Math.abs(j + 0.5 - centre) < r * stretch ? kernel((j + 0.5 - centre) / stretch) : 0,
      );
      const sum = w.reduce((a, b) => a + b, 0);
      return w.map((v) => v / sum);
    });
  const wx = weights(image.width, box[0], box[2], width);
  const wy = weights(image.height, box[1], box[3], height);
  const data = new Uint8ClampedArray(width * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) {
        let v = 0;
        wy[y].forEach((a, j) => {
          if (a === 0) return;
          wx[x].forEach((b, i) => {
            v += a * b * image.data[(j * image.width + i) * 3 + c];
          });
        });
        data[(y * width + x) * 3 + c] = Math.round(v);
      }
    }
  }
  return { width, height, data: new Uint8Array(data.buffer) };
}

const triangle = (x: number) => Math.max(0, 1 - Math.abs(x));

describe.skipIf(!existsSync(fixtures))("Pillow's resizing (skipped where ../shared is absent)", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "tesserae-resize-"));
    if (existsSync(archive)) execFileSync("tar", ["xzf", archive, "-C", folder]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const names = ["n01440764_tench", "n02669723_academic_gown", "n03297495_espresso_maker"];
  for (const name of names) {
    it(`agrees for ${name}`, async ({ skip }) => {
      const png = join(fixtures, `${name}.png`);
      const source = existsSync(png) ? png : join(folder, "imagenet20", `${name}.JPEG`);
      if (!existsSync(source)) skip("the photographs of ../shared/data are absent");
      const image = await read(source);
      for (const filter of ["bilinear", "bicubic"] as const) {
        const size = shortSideSize(image.width, image.height, 256);
        const window = centerWindow(size.width, size.height, 224, 224);
        const cases: [string, PixelImage][] = [
          [`${filter}-256-crop224`, resize(image, { ...size, filter, window })],
          [`${filter}-256-crop224`, centerCrop(resizeShortSide(image, 256, filter), 224, 224)],
          [`${filter}-96x64`, resize(image, { width: 96, height: 64, filter })],
        ];
        if (filter === "bicubic") {
          const box = { x: 0, y: 0, width: 40, height: 30 };
          cases.push([`bicubic-crop40x30-100x90`, resize(image, { width: 100, height: 90, filter, box, clip: true })]);
        }
        for (const [label, ours] of cases) {
          const { max, mean } = difference(ours, await read(join(fixtures, `${name}-${label}.png`)));
          expect(max, label).toBeLessThanOrEqual(1);
          expect(mean, label).toBeLessThan(0.1);
        }
      }
    });
  }
});

describe("resize", () => {
  it("follows the definition of the filter", () => {
    const image = noise(23, 17);
    for (const [width, height, box] of [
      [9, 7, [0, 0, 23, 17]],
      [40, 31, [0, 0, 23, 17]],
      [11, 30, [2.3, 1.7, 18.9, 12.25]],
    ] as const) {
      const rect = { x: box[0], y: box[1], width: box[2] - box[0], height: box[3] - box[1] };
      const ours = resize(image, { width, height, filter: "bilinear", box: rect });
      expect(difference(ours, plain(image, width, height, [...box], triangle, 1)).max).toBeLessThanOrEqual(1);
    }
  });

  it("keeps a constant image constant and an image of the same size as it is", () => {
    const flat: PixelImage = { width: 31, height: 19, data: new Uint8Array(31 * 19 * 3).fill(137) };
    for (const filter of ["nearest", "bilinear", "bicubic", "lanczos"] as ResizeFilter[]) {
      expect(new Set(resize(flat, { width: 50, height: 7, filter }).data)).toEqual(new Set([137]));
      const image = noise(12, 9);
      expect(resize(image, { width: 12, height: 9, filter }).data).toEqual(image.data);
    }
  });

  it("clamps overshoot", () => {
    const data = Uint8Array.from({ length: 8 }, (_, i) => (i < 4 ? 0 : 255));
    const wide = resize({ width: 8, height: 1, channels: 1, data }, { width: 32, height: 1 }).data;
    expect([wide[0], wide[31]]).toEqual([0, 255]);
    expect([...wide].every((v, i) => i === 0 || v >= wide[i - 1] || v === 0 || v > 200)).toBe(true);
  });

  it("cuts windows out of the whole result, mirrors them and fills what lies outside", () => {
    const image = noise(37, 29);
    const whole = resize(image, { width: 20, height: 16 });
    const part = resizePlanar(image, { width: 20, height: 16, window: { x: 3, y: 5, width: 9, height: 7 } });
    expect(part).toEqual(toPlanar(cut0(whole, 3, 5, 9, 7)));
    const mirrored = resizePlanar(image, {
      width: 20,
      height: 16,
      window: { x: -2, y: 12, width: 9, height: 7 },
      flip: true,
      fill: 9,
    });
    const padded = cut0(whole, -2, 12, 9, 7, 9);
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < 7; y++) {
        for (let x = 0; x < 9; x++) expect(mirrored[(c * 7 + y) * 9 + 8 - x]).toBe(padded.data[(y * 9 + x) * 3 + c]);
      }
    }
  });

  it("treats a clipped box as an image of its own, an unclipped one as a part of its surroundings", () => {
    const image = noise(40, 40);
    const box = { x: 5, y: 7, width: 21, height: 18 };
    const own = resize(cut0(image, 5, 7, 21, 18), { width: 10, height: 11 });
    expect(resize(image, { width: 10, height: 11, box, clip: true }).data).toEqual(own.data);
    expect(resize(image, { width: 10, height: 11, box }).data).not.toEqual(own.data);
    const columns = resize(cut0(image, 5, 7, 21, 18), { width: 21, height: 11 });
    expect(resize(image, { width: 21, height: 11, box, clip: true }).data).toEqual(columns.data);
  });

  it("treats each channel alike", () => {
    const image = noise(33, 21);
    const red: PixelImage = { width: 33, height: 21, channels: 1, data: image.data.filter((_, i) => i % 3 === 0) };
    const planar = resizePlanar(image, { width: 14, height: 13 });
    expect(resizePlanar(red, { width: 14, height: 13 })).toEqual(planar.slice(0, 14 * 13));
  });

  it("gives the same bits with vectors and without", () => {
    const random = keyed(77);
    const filters: ResizeFilter[] = ["nearest", "bilinear", "bicubic", "lanczos"];
    const used = vi.mocked(simd.simdPasses);
    used.mockClear();
    for (let i = 0; i < 120; i++) {
      const image = noise(1 + random.int(90), 1 + random.int(90), 3, i);
      const [x, y] = [random.int(image.width), random.int(image.height)];
      const box = { x, y, width: 1 + random.int(image.width - x), height: 1 + random.int(image.height - y) };
      const size = { width: 1 + random.int(70), height: 1 + random.int(70) };
      const window = { x: random.int(20) - 10, y: random.int(20) - 10, width: 1 + random.int(60), height: 40 };
      const options = { ...size, box, window, clip: i % 3 > 0, flip: i % 2 > 0, filter: filters[i % 4] };
      expect(resizePlanar(image, options), `case ${i}`).toEqual(resizePlanar(image, { ...options, scalar: true }));
    }
    expect(used.mock.results.filter(({ value }) => value !== undefined).length).toBeGreaterThan(60);
  });

  it("refuses a box that leaves the image", () => {
    const box = { x: 5, y: 0, width: 8, height: 4 };
    expect(() => resize(noise(10, 10), { width: 4, height: 4, box })).toThrow(/not within the image of 10 by 10/);
  });

  it("rounds sizes as torchvision does", () => {
    expect(shortSideSize(500, 375, 256)).toEqual({ width: 341, height: 256 });
    expect(shortSideSize(375, 500, 256)).toEqual({ width: 256, height: 341 });
    expect([0.5, 1.5, 2.5, 2.4, 3.6].map(roundHalfEven)).toEqual([0, 2, 2, 2, 4]);
    expect(centerWindow(341, 256, 224, 224)).toMatchObject({ x: 58, y: 16 });
    expect(centerWindow(10, 13, 16, 16)).toMatchObject({ x: -3, y: -1 });
  });

  it("takes luma as Pillow does", () => {
    const data = new Uint8Array([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 12, 200, 31]);
    expect([...toGrey({ width: 5, height: 1, data }).data]).toEqual([76, 150, 29, 255, 125]);
  });
});

/** A plain cut, with `fill` outside. */
function cut0(image: PixelImage, x0: number, y0: number, width: number, height: number, fill = 0): PixelImage {
  const data = new Uint8Array(width * height * 3).fill(fill);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sx, sy] = [x + x0, y + y0];
      if (sx < 0 || sy < 0 || sx >= image.width || sy >= image.height) continue;
      for (let c = 0; c < 3; c++) data[(y * width + x) * 3 + c] = image.data[(sy * image.width + sx) * 3 + c];
    }
  }
  return { width, height, data };
}
