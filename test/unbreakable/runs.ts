import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { create } from "tar";
import { writeSynth } from "../../src/node/synth.ts";
import type { TrainOptions } from "../../src/node/train-options.ts";

/** Every random thing of a run: augmentation, mixing, erasing, dropout; averages and accumulation too. */
const EVERYTHING = {
  crop: "pad",
  aa: "rand-m9-mstd0.5-inc1",
  mixup: 0.2,
  cutmix: 1,
  reprob: 0.5,
  remode: "pixel",
  drop: 0.1,
  modelEma: 0.9,
  gradAccumSteps: 2,
  batchSize: 4,
  lr: 2e-3,
  threads: 1,
  seed: 7,
} as const satisfies Partial<TrainOptions>;

/** Attention, AdamW, layer norm. */
export const VIT = {
  ...EVERYTHING,
  model: "vit_tiny_patch16_224",
  modelOptions: { img_size: 16, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2 },
  dropPath: 0.2,
} as const satisfies Partial<TrainOptions>;

/** Convolutions, SGD, batch norm. */
export const CONVMIXER = {
  ...EVERYTHING,
  model: "convmixer",
  modelOptions: { img_size: 16, dim: 16, depth: 1, kernel_size: 3, patch_size: 4 },
  opt: "sgd",
} as const satisfies Partial<TrainOptions>;

export interface ImageSets {
  /** A folder of classes. */
  readonly folder: string;
  /** The same images as tar shards. */
  readonly shards: string;
}

/** 48 drawn images to train on, three of them damaged, and 8 to evaluate on: in a folder and in shards. */
export async function makeImageSets(at: string): Promise<ImageSets> {
  const [folder, shards] = [join(at, "folder"), join(at, "shards")];
  await writeSynth(folder, { count: 56, seed: 3, size: 16 });
  const [first, second, third] = listed(join(folder, "train")).filter((_, i) => i % 7 === 3);
  truncateSync(first, 90);
  truncateSync(second, 0);
  writeFileSync(third, "no image");
  mkdirSync(shards);
  for (const split of readdirSync(folder)) await shard(join(folder, split), join(shards, `${split}-000.tar`), at);
  return { folder, shards };
}

const listed = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

/** CLASS/NAME.png as CLASS/NAME.png and CLASS/NAME.cls of a tar. */
async function shard(folder: string, file: string, scratch: string): Promise<void> {
  const cwd = join(scratch, `unpacked-${relative(scratch, folder).replaceAll(sep, "-")}`);
  const names = listed(folder).flatMap((path) => {
    const name = relative(folder, path);
    const [label] = name.split(sep);
    const stem = name.slice(0, -extname(name).length);
    mkdirSync(join(cwd, label), { recursive: true });
    writeFileSync(join(cwd, name), readFileSync(path));
    writeFileSync(join(cwd, `${stem}.cls`), label);
    return [name, `${stem}.cls`];
  });
  await create({ cwd, file, portable: true }, names);
}

/** A run's last checkpoint, by step. */
export const lastCheckpoint = (run: string): string =>
  join(
    run,
    readdirSync(run)
      .filter((name) => name.startsWith("checkpoint-"))
      .sort()
      .at(-1) as string,
  );

/** SHA-256 of all tensors of a run's last checkpoint: weights, moments, averages, statistics, counters. */
export function endOf(run: string): string {
  const hash = createHash("sha256");
  for (const file of ["model.safetensors", "optimizer.safetensors"])
    hash.update(readFileSync(join(lastCheckpoint(run), file)));
  return hash.digest("hex");
}
