import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../models/model.ts";
import { tracedLayers } from "../attention-layers.ts";
import { overlay } from "../color.ts";
import type { Panel } from "../drawing.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { answer, floats, type Inside } from "../subject.ts";
import { spreadOut, squareWindows, type Windows, whereIs } from "../windows.ts";

/** A layer whose tokens attend within windows. */
interface Windowed extends Windows {
  readonly path: string;
  /** [n · windows, heads, side², side²]. */
  readonly probs: Tensor;
  readonly name: "window" | "shifted window" | "block" | "grid";
}

/** Layers that attend within windows of a square map; of each map's size and kind the last. */
function windowed(model: Model, of: Inside): Windowed[] {
  const found = new Map<string, Windowed>();
  for (const { path, probs, groups, kind } of tracedLayers(model, of)) {
    if (kind !== "window" && kind !== "shifted window" && kind !== "grid") continue;
    const [side, count] = [Math.sqrt(probs.shape[2]), Math.sqrt(groups)];
    const name = path.includes("attn_block") ? "block" : kind;
    found.set(`${side} ${count} ${name}`, { ...squareWindows({ side, count, kind }), path, probs, name });
  }
  if (found.size === 0) throw lacks(model, "no attention within windows of a square map");
  return [...found.values()];
}

/** The window and token in the middle of the map. */
const middle = (layer: Windowed) => whereIs(layer, [layer.map[0] >> 1, layer.map[1] >> 1]);

/** The middle token's attention, heads averaged: [n, side²]. */
function middleRow(layer: Windowed, images: number): Tensor {
  const { window, token } = middle(layer);
  const [all, heads, length] = layer.probs.shape;
  const one = layer.probs.reshape([images, all / images, heads, length, length]).slice(1, window, window + 1);
  return one
    .squeeze(1)
    .slice(2, token, token + 1)
    .squeeze(2)
    .mean([1]);
}

export const windowAttention: Figure = {
  title: "Attention within windows",
  source: "Liu et al. 2021, Swin Transformer, figure 2; Tu et al. 2022, MaxViT, figure 3",
  images: true,
  async draw(context) {
    const { model, pictures } = context;
    const layers: Windowed[] = [];
    const result = await answer(context, batchOf(pictures), (of) => {
      layers.push(...windowed(model, of));
      return new Map(layers.map((layer) => [layer.path, middleRow(layer, pictures.length)]));
    });
    const maps = layers.map((layer) => {
      const [all, cells] = [floats(result, layer.path), layer.window[0] * layer.window[1]];
      const { window } = middle(layer);
      const rows = pictures.map((_, i) => [...spreadOut(layer, window, all.subarray(i * cells, (i + 1) * cells))]);
      return { path: layer.path, kind: layer.name, size: layer.map[0], rows };
    });
    // Both kinds of one size stand side by side, a size a row.
    const sizes = [...new Set(maps.map((m) => m.size))];
    const panels = pictures.flatMap(({ pixels, name }, i) =>
      sizes.flatMap((size): Panel[] => {
        const own = maps.filter((m) => m.size === size);
        const drawn = own.map(({ kind, rows }) => ({
          title: `${kind}, ${size} × ${size}`,
          image: overlay(pixels, rows[i], [size, size]),
        }));
        const columns = Math.max(...sizes.map((s) => maps.filter((m) => m.size === s).length));
        const blank = Array.from({ length: columns - own.length }, () => ({ image: EMPTY }));
        return [{ title: name, image: pixels }, ...drawn, ...blank];
      }),
    );
    return {
      kind: "panels",
      title: this.title,
      caption:
        "Where the token in the middle of the image can look, and does, heads averaged: a row a size of map, its kinds of window side by side.",
      columns: panels.length / (pictures.length * sizes.length),
      width: 160,
      panels,
      data: maps,
    };
  },
};

/** In place of a kind of window that a size of map has not. */
const EMPTY = { width: 1, height: 1, data: Uint8Array.of(255, 255, 255) };
