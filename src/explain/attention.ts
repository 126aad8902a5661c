import type { Tensor } from "../graph/tensor.ts";
import type { Model } from "../models/model.ts";
import { lacks } from "./figure.ts";
import { type TokenGrid, tokenGrid } from "./places.ts";
import type { Inside } from "./subject.ts";

/** Attention among all tokens of an image, in one layer. */
export interface GlobalAttention {
  /** State-dict path of the layer. */
  readonly path: string;
  /** [n, heads, L, L]. */
  readonly probs: Tensor;
  readonly grid: TokenGrid;
}

const PROBS = ".probs";

/** Layers in which every token asks every token, in order. Throws TesseraeError("model") where there is none. */
export function globalAttention(model: Model, { taps, image }: Inside): GlobalAttention[] {
  const found = [...taps].flatMap(([name, probs]) => {
    if (!name.endsWith(PROBS) || probs.rank !== 4) return [];
    const [n, , queries, keys] = probs.shape;
    const grid = n === image.shape[0] && queries === keys ? tokenGrid(model, queries) : undefined;
    return grid ? [{ path: name.slice(0, -PROBS.length), probs, grid }] : [];
  });
  if (found.length === 0) throw lacks(model, "no layer in which every token attends to every token");
  return found;
}

/** Layers whose attention shares one grid, as the last has it: those that rollout multiplies. */
export function sameGrid(layers: readonly GlobalAttention[]): GlobalAttention[] {
  const length = layers.at(-1)?.probs.shape[2];
  return layers.filter((l) => l.probs.shape[2] === length);
}
