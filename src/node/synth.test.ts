import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterEach, beforeEach, expect, test } from "vitest";
import { drawSynth, planSynth, synthClasses } from "../data/synth.ts";
import { writeSynth } from "./synth.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "synth-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

test("files hold exactly the drawn pixels, class by class and split by split", async () => {
  const dir = join(root, "made/shapes");
  const result = await writeSynth(dir, { count: 40, seed: 3, size: 24 });
  expect(result).toEqual({ dir, classes: [...synthClasses], train: 32, val: 8 });
  expect(await readdir(join(dir, "train"))).toEqual([...synthClasses]);
  for (const { split, class: name, position, index } of planSynth({ count: 40 })) {
    const file = join(dir, split, name, `${String(position).padStart(5, "0")}.png`);
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height, info.channels]).toEqual([24, 24, 3]);
    expect(Buffer.compare(data, drawSynth(3, name, index, 24))).toBe(0);
  }
  expect(await readdir(join(root, "made"))).toEqual(["shapes"]);
});

test("an empty folder is filled; one with anything in it is refused and left as it was", async () => {
  const dir = join(root, "shapes");
  await mkdir(dir);
  await writeSynth(dir, { count: 16, seed: 0, classes: ["star", "ring"] });
  const before = await readdir(dir, { recursive: true });
  await expect(writeSynth(dir, { count: 16, seed: 1 })).rejects.toThrow(`${dir}: folder is not empty. Name a new`);
  expect(await readdir(dir, { recursive: true })).toEqual(before);
  const file = join(root, "file");
  await writeFile(file, "");
  await expect(writeSynth(file, { count: 16, seed: 1 })).rejects.toThrow(`${file}: is a file`);
});

test("nothing is left behind when the arguments are wrong or drawing fails", async () => {
  const dir = join(root, "shapes");
  await expect(writeSynth(dir, { count: 3, seed: 0 })).rejects.toThrow("cannot make 3 images");
  await expect(writeSynth(dir, { count: 16, seed: 0, size: 5000 })).rejects.toThrow("cannot draw at size 5000");
  expect(existsSync(dir)).toBe(false);
  expect(await readdir(root)).toEqual([]);
});
