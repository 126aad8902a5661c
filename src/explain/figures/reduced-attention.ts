import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../models/model.ts";
import type { Size } from "../../nn/size.ts";
import { overlay } from "../color.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { gridOf } from "../places.ts";
import { answer, floats, type Inside } from "../subject.ts";

interface Reduced {
  readonly path: string;
  /** The centre query's attention, heads averaged: [n, keys]. */
  readonly row: Tensor;
  readonly keys: Size;
}

/** The last layer of each size whose keys are a reduced map. */
function reducedLayers(model: Model, { taps, image }: Inside): Reduced[] {
  const bySize = new Map<string, Reduced>();
  for (const [name, probs] of taps) {
    if (!name.endsWith(".probs") || probs.rank !== 4 || probs.shape[0] !== image.shape[0]) continue;
    const [, , queries, keys] = probs.shape;
    const [from, to] = [gridOf(model, queries), gridOf(model, keys)];
    if (!from || !to || keys >= queries) continue;
    const centre = (from[0] >> 1) * from[1] + (from[1] >> 1);
    const row = probs
      .slice(2, centre, centre + 1)
      .squeeze(2)
      .mean([1]);
    bySize.set(`${queries} ${keys}`, { path: name.slice(0, -".probs".length), row, keys: to });
  }
  if (bySize.size === 0) throw lacks(model, "no attention to a reduced map");
  return [...bySize.values()];
}

/** Where the patch in the middle looks among the reduced keys, by stage. */
export const reducedAttention: Figure = {
  title: "Attention to reduced maps",
  source: "Wang et al. 2021, Pyramid Vision Transformer, equations 2 to 4",
  images: true,
  async draw(context) {
    const { model, pictures } = context;
    const layers: Reduced[] = [];
    const result = await answer(context, batchOf(pictures), (of) => {
      layers.push(...reducedLayers(model, of));
      return new Map(layers.map((l) => [l.path, l.row]));
    });
    const maps = layers.map(({ path, keys }) => {
      const [all, cells] = [floats(result, path), keys[0] * keys[1]];
      return { path, keys, rows: pictures.map((_, i) => [...all.subarray(i * cells, (i + 1) * cells)]) };
    });
    return {
      kind: "panels",
      title: this.title,
      caption:
        "Where the patch in the middle of the image looks: each stage's last layer with reduced keys, heads averaged.",
      columns: layers.length + 1,
      width: 160,
      panels: pictures.flatMap(({ pixels, name }, i) => [
        { title: name, image: pixels },
        ...maps.map(({ path, keys, rows }) => ({
          title: `${path} ${keys.join(" × ")}`,
          image: overlay(pixels, rows[i], keys),
        })),
      ]),
      data: maps,
    };
  },
};
