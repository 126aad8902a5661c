import { PCA } from "ml-pca";
import { UMAP } from "umap-js";
import { keyed } from "../data/random.ts";
import { featureModel } from "../models/features.ts";
import type { Picture } from "./figure.ts";
import { askEach, inquire, type Subject } from "./subject.ts";

/** Images of a run. */
const BATCH = 16;

/** The pooled features of each picture, of length 1: the product of two is their cosine. Throws TesseraeError("model"). */
export async function unitFeatures(subject: Subject, pictures: readonly Picture[]): Promise<Float64Array[]> {
  const batch = Math.min(BATCH, pictures.length);
  const body = { ...subject, model: featureModel(subject.model) };
  const inquiry = await inquire(body, batch, (of) => new Map([["features", of.logits]]));
  try {
    const rows = await askEach(
      inquiry,
      batch,
      pictures.map((p) => p.input),
      0,
      "features",
    );
    return rows.map((row) => {
      const length = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0)) || 1;
      return Float64Array.from(row, (v) => v / length);
    });
  } finally {
    await inquiry.dispose();
  }
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

export type Place = readonly [x: number, y: number];

/** Places along the two directions of largest variance, and the parts of the variance that these hold. */
export function principalPlaces(rows: readonly ArrayLike<number>[]): { places: Place[]; explained: number[] } {
  const matrix = rows.map((r) => Array.from(r));
  const pca = new PCA(matrix, { center: true, method: "SVD" });
  const places = pca.predict(matrix, { nComponents: 2 }).to2DArray();
  return { places: places.map(([x, y = 0]) => [x, y]), explained: pca.getExplainedVariance().slice(0, 2) };
}

/** Neighbours that hold a point; of small sets all but itself. */
const NEIGHBOURS = 15;

/** Places by UMAP (McInnes et al. 2018, 15 neighbours as by default; least distance 0.5, so that pictures overlap less), of Euclidean distances. */
export function umapPlaces(rows: readonly ArrayLike<number>[], seed: number): Place[] {
  const random = keyed(seed, "umap");
  const umap = new UMAP({
    nComponents: 2,
    nNeighbors: Math.min(NEIGHBOURS, rows.length - 1),
    minDist: 0.5,
    random: () => random.uniform(),
  });
  return umap.fit(rows.map((r) => Array.from(r))).map(([x, y]) => [x, y]);
}
