import { readdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { compareCodePoints, type ImageDataset } from "../data/dataset.ts";
import { TesseraeError } from "../errors.ts";
import { isImage } from "./sources/folder.ts";
import { type OpenDataOptions, openData, openSplit } from "./sources/open-data.ts";

/** Images of one part of a set. Without classes every label is -1. */
export interface ImagePart {
  /** "train", "val"...; empty where there are no parts. */
  readonly split: string;
  readonly dataset: ImageDataset;
}

/**
 * All images at a path: of an image set its parts with their labels, or one part by name; of any other folder what lies in
 * it and below. Throws TesseraeError("data").
 */
export async function openImageParts(
  path: string,
  { split, ...options }: OpenDataOptions & { readonly split?: string } = {},
): Promise<{ parts: ImagePart[]; notes: readonly string[] }> {
  if (split !== undefined) {
    const { dataset, notes } = await openSplit(path, split, options);
    return { parts: [{ split, dataset }], notes };
  }
  try {
    const { train, val, valSplit, notes } = await openData(path, { ...options, valFraction: 0 });
    const parts = [
      { split: valSplit === undefined ? "" : "train", dataset: train },
      { split: valSplit ?? "", dataset: val },
    ];
    return { parts: parts.filter((p) => p.dataset.samples.length > 0), notes };
  } catch (error) {
    const plain = error instanceof TesseraeError && error.code === "data" ? await plainFolder(path) : undefined;
    if (!plain) throw error;
    return { parts: [{ split: "", dataset: plain }], notes: [] };
  }
}

/** Images of a folder without classes; undefined where there are none. */
async function plainFolder(path: string): Promise<ImageDataset | undefined> {
  const root = resolve(path);
  if (!(await stat(root).catch(() => undefined))?.isDirectory()) return undefined;
  const names = await readdir(root, { recursive: true });
  const samples = names
    .filter((name) => isImage(name) && !name.split(/[/\\]/).some((part) => part.startsWith(".")))
    .sort(compareCodePoints)
    .map((name) => ({ path: join(root, name), label: -1 }));
  return samples.length > 0 ? { classes: [], samples, root } : undefined;
}
