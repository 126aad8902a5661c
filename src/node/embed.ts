import { relative } from "node:path";
import { featureModel } from "../models/features.ts";
import type { Model } from "../models/model.ts";
import type { Weights } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { computeFeatures, type FeatureOptions } from "./features.ts";
import type { ImagePart } from "./image-parts.ts";
import { type OpenOptions, openPretrained } from "./model-files.ts";
import { perChannel } from "./preprocessing.ts";
import { loadPretrained, pretrainedModel } from "./pretrained.ts";

/** A model that is used for its features alone. */
export interface Embedder {
  readonly model: Model;
  readonly weights: Weights;
}

/** Opens what `--pretrained` takes for its features. Throws TesseraeError. */
export async function openEmbedder(source: string, options: OpenOptions = {}): Promise<Embedder> {
  const pretrained = await openPretrained(source, options);
  const built = pretrainedModel(pretrained, { img_size: options.imgSize });
  const given = perChannel(options.preprocessing ?? {}, built.inputShape[0]);
  const model = { ...built, preprocessing: { ...built.preprocessing, ...given } };
  featureModel(model);
  return { model, weights: loadPretrained(model, pretrained).weights };
}

/** An image with its features. */
export interface Embedded {
  readonly path: string;
  readonly split: string;
  /** -1, and no class, where the images have none. */
  readonly label: number;
  readonly class: string;
}

export interface Embeddings {
  readonly images: readonly Embedded[];
  /** [images.length, dim]. */
  readonly values: Float32Array;
  readonly dim: number;
  readonly skipped: ReadonlyMap<string, string>;
}

/** Features of all images of a set, in the set's order. Throws TesseraeError. */
export async function embed(
  { model, weights }: Embedder,
  parts: readonly ImagePart[],
  backend: Backend,
  options: FeatureOptions = {},
): Promise<Embeddings> {
  const images: Embedded[] = [];
  const blocks: Float32Array[] = [];
  const skipped = new Map<string, string>();
  let dim = 0;
  for (const { split, dataset } of parts) {
    const found = await computeFeatures(model, weights, dataset, backend, options);
    dim = found.dim;
    blocks.push(found.values);
    for (const [path, reason] of found.skipped) skipped.set(path, reason);
    for (const row of found.rows) {
      const { path, label } = dataset.samples[row];
      images.push({ path: shown(path), split, label, class: dataset.classes[label] ?? "" });
    }
  }
  const values = new Float32Array(images.length * dim);
  let at = 0;
  for (const block of blocks) {
    values.set(block, at);
    at += block.length;
  }
  return { images, values, dim, skipped };
}

/** As one would name it from here. */
const shown = (path: string): string => {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : near;
};

/** Features of one image file, [1, dim]. Throws TesseraeError("data") where it cannot be read. */
export async function embedImage(embedder: Embedder, path: string, backend: Backend): Promise<Float32Array> {
  const dataset = { classes: [], samples: [{ path, label: -1 }], root: path };
  const options = { cache: false, workers: 0, strict: true };
  return (await computeFeatures(embedder.model, embedder.weights, dataset, backend, options)).values;
}
