import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import sharp from "sharp";
import type { ImageDataset } from "../src/data/dataset.ts";
import type { Loader } from "../src/data/loader.ts";
import { keyed } from "../src/data/random.ts";
import { trainTransform } from "../src/data/transform.ts";
import { createLoader } from "../src/node/loader.ts";
import type { Work } from "./work.ts";

export interface DataSpec {
  readonly kind: "data";
  /** All of them are read in a turn: a whole number of batches. */
  readonly files: readonly string[];
  readonly batch: number;
  readonly size: number;
  readonly aa?: string;
  /** Default 1. */
  readonly workers?: number;
}

const IMAGES = 64;
const PHOTOGRAPHS = ["imagenet20", "hymenoptera"];

/** An image folder of photographs: reference material where it lies beside the repository, else drawn ones. */
export async function photographs(root: string) {
  const scratch = await mkdtemp(join(tmpdir(), "tesserae-bench-"));
  const folder = join(scratch, "photographs");
  const shared = process.env.TESSERAE_SHARED ?? join(root, "..", "shared");
  const name = PHOTOGRAPHS.find((n) => existsSync(join(shared, "data", `${n}.tar.gz`)));
  const found = name ? await unpack(join(shared, "data", `${name}.tar.gz`), join(scratch, "unpacked")) : [];
  const sources = found.length ? found : await draw(join(scratch, "drawn"));
  const files: string[] = [];
  for (const c of ["a", "b"]) await mkdir(join(folder, "train", c), { recursive: true });
  for (let i = 0; i < IMAGES; i++) {
    const file = join(folder, "train", i % 2 ? "b" : "a", `${i}.jpg`);
    await copyFile(sources[i % sources.length], file);
    files.push(file);
  }
  return {
    /** Where this and runs on it may be written. */
    scratch,
    folder,
    train: join(folder, "train"),
    files,
    what: found.length ? `photographs of ${name}` : "drawn JPEGs of 500x375",
    remove: () => rm(scratch, { recursive: true, force: true }),
  };
}

async function unpack(archive: string, into: string): Promise<string[]> {
  await mkdir(into, { recursive: true });
  await promisify(execFile)("tar", ["-xzf", archive, "-C", into]);
  const entries = await readdir(into, { recursive: true });
  return entries
    .filter((e) => [".jpg", ".jpeg"].includes(extname(e).toLowerCase()))
    .sort()
    .map((e) => join(into, e));
}

/** Smooth clouds and some grain: about as much detail as a photograph. */
async function draw(into: string, count = 16): Promise<string[]> {
  await mkdir(into, { recursive: true });
  const files: string[] = [];
  for (let i = 0; i < count; i++) {
    const random = keyed(7, i);
    const raw = { width: 20, height: 15, channels: 3 } as const;
    const clouds = Buffer.from(Array.from({ length: 900 }, () => Math.floor(256 * random.uniform())));
    const noise = { type: "gaussian", mean: 128, sigma: 20 } as const;
    const grain = await sharp({ create: { width: 500, height: 375, channels: 3, background: "grey", noise } })
      .png()
      .toBuffer();
    const file = join(into, `${i}.jpg`);
    await sharp(clouds, { raw })
      .resize(500, 375, { kernel: "cubic" })
      .composite([{ input: grain, blend: "soft-light" }])
      .jpeg({ quality: 92 })
      .toFile(file);
    files.push(file);
  }
  return files;
}

/** One epoch over the files by a loader with its workers; nothing decoded is kept, so that every turn decodes. */
export function openData({ files, batch, size, aa, workers = 1 }: DataSpec): Work {
  const dataset: ImageDataset = {
    root: "",
    classes: ["all"],
    samples: files.map((path) => ({ path, label: 0 })),
  };
  const loader: Loader = createLoader({
    dataset,
    batchSize: batch,
    transform: trainTransform({ size, interpolation: "bicubic", ...(aa && { aa, reprob: 0.25 }) }),
    shuffle: true,
    dropLast: true,
    seed: 1,
    workers,
    strict: true,
    cacheBytes: 0,
  });
  let epoch = 0;
  return {
    async step() {
      let images = 0;
      for await (const { count } of loader.epoch(epoch++)) images += count;
      return images;
    },
    dispose: () => loader.close(),
  };
}
