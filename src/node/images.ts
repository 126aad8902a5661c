import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { compareCodePoints, type ImageDataset, type ImageSample } from "../data/dataset.ts";
import type { Loader } from "../data/loader.ts";
import { TesseraeError } from "../errors.ts";
import type { ModelSpec } from "../models/spec.ts";
import { channelsOf, transformOf } from "../train/predictor.ts";
import { createLoader } from "./loader.ts";
import { isImage } from "./sources/folder.ts";
import { openData } from "./sources/open-data.ts";

/** Images without regard to what they show: a file, a folder of files, or an image set, all of whose parts count. */
export async function openImages(path: string): Promise<ImageDataset> {
  const info = await stat(path).catch(() => undefined);
  const names = info?.isDirectory() ? (await readdir(path)).filter(isImage) : [];
  const files =
    info?.isFile() && isImage(path) ? [path] : names.sort(compareCodePoints).map((name) => join(path, name));
  if (files.length > 0)
    return {
      classes: [basename(resolve(path))],
      samples: files.map((file) => ({ path: resolve(file), label: 0 })),
      root: path,
    };
  const { train, val } = await openData(path, { valFraction: 0 });
  return val.samples.length > 0 && !train.files ? { ...train, samples: [...train.samples, ...val.samples] } : train;
}

/** `count` of the images at even distances, from the `first` on. */
export function someOf({ samples, ...rest }: ImageDataset, count: number, first = 0): ImageDataset {
  const step = Math.max(1, Math.floor(samples.length / count));
  const chosen: ImageSample[] = [];
  for (let i = first; i < samples.length && chosen.length < count; i += step) chosen.push(samples[i]);
  if (chosen.length === 0) throw new TesseraeError("data", "holds no images", { where: rest.root });
  return { ...rest, samples: chosen };
}

/** A loader of images as a model evaluates them, in their order. */
export const imageLoader = (dataset: ImageDataset, spec: ModelSpec, batchSize: number): Loader =>
  createLoader({
    ...{ dataset, transform: transformOf(spec), inChans: channelsOf(spec) },
    ...{ batchSize, shuffle: false, dropLast: false, seed: 0, workers: 0 },
  });
