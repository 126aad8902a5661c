import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { drawMixes, mixImages } from "../../src/data/mixup.ts";
import { trainTransform } from "../../src/data/transform.ts";
import { createLoader } from "../../src/node/loader.ts";
import { openData } from "../../src/node/sources/open-data.ts";
import { scratch, tesserae } from "./cli.ts";

const folder = scratch();
const at = (...path: string[]) => join(folder, ...path);
const shapes = at("shapes");
const SIDE = 32;
const BATCH = 8;
const AA = "rand-m9-mstd0.5-inc1";
const FLAGS = ["--img-size", String(SIDE), "-b", String(BATCH), "--aa", AA, "--reprob", "0.5", "--remode", "pixel"];
const MIX = ["--mixup", "0.8", "--cutmix", "1", "--mixup-mode", "elem"];

const preview = (output: string, ...flags: string[]) => tesserae(["preview", shapes, "-o", at(output), ...flags]);

beforeAll(async () => {
  expect(await tesserae(["synth", shapes, "--count", "32", "--size", "32"])).toMatchObject({ code: 0 });
});

/** The tiles of a sheet of `columns`, planar [3, H, W]. */
async function tilesOf(file: string, columns: number, count: number): Promise<Uint8Array[]> {
  const zoom = 3;
  const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
  expect(info.width).toBe(4 + columns * (SIDE * zoom + 4));
  return Array.from({ length: count }, (_, i) => {
    const top = 4 + Math.floor(i / columns) * (SIDE * zoom + 4);
    const left = 4 + (i % columns) * (SIDE * zoom + 4);
    return Uint8Array.from({ length: 3 * SIDE * SIDE }, (_, p) => {
      const [c, y, x] = [Math.floor(p / SIDE ** 2), Math.floor(p / SIDE) % SIDE, p % SIDE];
      return data[3 * ((top + zoom * y) * info.width + left + zoom * x) + c];
    });
  });
}

/** The first images of an epoch, put together from the parts that training is made of. */
async function expected(epoch: number, mixed: boolean): Promise<Uint8Array[]> {
  const { train } = await openData(shapes, { seed: 5 });
  const loader = createLoader({
    dataset: train,
    transform: trainTransform({
      ...{ size: SIDE, aa: AA, reprob: 0.5, remode: "pixel", interpolation: "random" },
      ...{ mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] },
    }),
    ...{ shuffle: true, dropLast: true, batchSize: BATCH, seed: 5, workers: 0 },
  });
  const tiles: Uint8Array[] = [];
  let batch = 0;
  for await (let { images } of loader.epoch(epoch)) {
    const mixing = { mixup: 0.8, cutmix: 1, prob: 1, switchProb: 0.5, mode: "elem" } as const;
    const mixes = drawMixes(mixing, BATCH, [SIDE, SIDE], { seed: 5, epoch, batch: batch++ });
    if (mixed) images = mixImages(images, mixes, [3, SIDE, SIDE]);
    const size = images.length / BATCH;
    for (let i = 0; i < BATCH; i++) tiles.push(images.subarray(i * size, (i + 1) * size));
  }
  await loader.close();
  return tiles;
}

const expectSame = (tiles: Uint8Array[], all: Uint8Array[]): void =>
  expect(tiles.map((tile, i) => Buffer.compare(tile, all[i]))).toEqual(tiles.map(() => 0));

describe("preview", () => {
  it("shows the very pixels that training sees, and names the files", async () => {
    const made = await preview("sheet.png", ...FLAGS, "--seed", "5", "--epoch", "2", "--count", "12");
    expect(made).toMatchObject({ code: 0, stderr: "" });
    expect(made.stdout).toContain(`sheet.png: 12 images, row by row; files of ${shapes}`);
    expect(made.stdout).toMatch(/\n12 {2}(circle|\w+) +\1\/0000\d\.png/);
    expectSame(await tilesOf(at("sheet.png"), 5, 12), await expected(2, false));
  });

  it("mixes whole batches as training does, and says what is mixed in", async () => {
    const made = await preview("mixed.png", ...FLAGS, ...MIX, "--seed", "5", "--count", "12", "--json");
    const { tiles } = JSON.parse(made.stdout);
    expectSame(await tilesOf(at("mixed.png"), 5, 12), await expected(0, true));
    expect(tiles).toHaveLength(12);
    expect(tiles[0].mixed.path).toBe(tiles[7].path);
    expect(tiles.filter(({ mixed }: { mixed?: { box: boolean } }) => mixed?.box).length).toBeGreaterThan(2);
    expect(tiles.filter(({ mixed }: { mixed?: { box: boolean } }) => mixed && !mixed.box).length).toBeGreaterThan(2);
  });

  it("takes a recipe, and puts the images as they are beside", async () => {
    writeFileSync(at("recipe.yaml"), `data: ${shapes}\nepochs: 3\nlr: 1e-3\nimg-size: ${SIDE}\ncrop: pad\nhflip: 0\n`);
    const flags = ["--config", at("recipe.yaml"), "--crop-padding", "0", "--originals", "--count", "4"];
    expect(await tesserae(["preview", "-o", at("pairs.webp"), ...flags])).toMatchObject({ code: 0 });
    expect(await tesserae(["preview", "-o", at("pairs.png"), ...flags])).toMatchObject({ code: 0 });
    // Neither padded nor mirrored: what training sees is the image resized.
    const tiles = await tilesOf(at("pairs.png"), 4, 8);
    const [first, second] = [0, 1].map((k) => tiles.filter((_, i) => i % 2 === k));
    expectSame(first, second);
    expect(Buffer.compare(tiles[0], tiles[2])).not.toBe(0);
  });

  it("is refused with one line, and leaves no file", async () => {
    const refused = async (output: string, flags: string[], code: number, message: RegExp) => {
      const result = await preview(output, ...flags);
      expect(result).toMatchObject({ code, stdout: "" });
      expect(result.stderr).toMatch(message);
      expect(result.stderr.trimEnd().split("\n")).toHaveLength(1);
      expect(existsSync(at(output))).toBe(false);
    };
    await refused("a.gif", [], 2, /^error: .*a\.gif is not named as an image. Name it \*\.png/);
    await refused("a.png", ["--aa", "rand-x3"], 2, /^error: aa "rand-x3": "x3": not one of/);
    await refused("a.png", ["--count", "0"], 2, /^error: .*must be at least 1/);
    await refused("a.png", ["--epoch", "-1"], 2, /^error: epoch -1 is not a whole number of 0 or more/);
    await refused("no/such/a.png", ["--img-size", "32"], 1, /^error: .*no\/such\/a\.png/);
    expect(readdirSync(folder).filter((name) => name.startsWith("a."))).toEqual([]);
    const none = await tesserae(["preview", "-o", at("a.png")]);
    expect(none).toMatchObject({ code: 2, stderr: "error: no image set is named. tesserae preview DATA ...\n" });
  });
});
