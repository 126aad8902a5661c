import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../models/model.ts";
import { windowKind, windowPlace } from "../attention-layers.ts";
import { overlay } from "../color.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { answer, floats, type Inside } from "../subject.ts";

/** A layer whose tokens attend within windows of `side` x `side`, `count` x `count` of them. */
interface Windowed {
  readonly path: string;
  /** [n · count², heads, side², side²]. */
  readonly probs: Tensor;
  readonly side: number;
  readonly count: number;
  /** Neighbours; the same moved by half a window; or pixels `count` apart. */
  readonly kind: "window" | "shifted window" | "grid";
}

/** Layers that attend within windows of a square map; of each map's size and kind the last. */
function windowed(model: Model, { taps, image }: Inside): Windowed[] {
  const found = new Map<string, Windowed>();
  for (const [name, probs] of taps) {
    if (!name.endsWith(".probs") || probs.rank !== 4) continue;
    const path = name.slice(0, -".probs".length);
    const [side, count] = [Math.sqrt(probs.shape[2]), Math.sqrt(probs.shape[0] / image.shape[0])];
    const square = Number.isInteger(side) && Number.isInteger(count) && probs.shape[2] === probs.shape[3];
    if (!square || count < 2) continue;
    const kind = windowKind(path, count);
    found.set(`${side} ${count} ${kind}`, { path, probs, side, count, kind });
  }
  if (found.size === 0) throw lacks(model, "no attention within windows of a square map");
  return [...found.values()];
}

/** The window and token that lie nearest the middle of the map. */
function middle(layer: Windowed): { window: number; token: number } {
  const half = (layer.side * layer.count) >> 1;
  for (let window = 0; window < layer.count ** 2; window++)
    for (let token = 0; token < layer.side ** 2; token++) {
      const [y, x] = windowPlace(layer, window, token);
      if (y === half && x === half) return { window, token };
    }
  return { window: 0, token: 0 };
}

/** The middle token's attention, heads averaged, on the whole map: 0 where it cannot look. */
function spreadOut(layer: Windowed, row: ArrayLike<number>): number[] {
  const size = layer.side * layer.count;
  const map = Array<number>(size * size).fill(0);
  const { window } = middle(layer);
  for (let token = 0; token < layer.side ** 2; token++) {
    const [y, x] = windowPlace(layer, window, token);
    map[y * size + x] = row[token];
  }
  return map;
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
      return new Map(
        layers.map((layer) => {
          const { window, token } = middle(layer);
          const [, heads, length] = layer.probs.shape;
          const images = layer.probs.reshape([pictures.length, layer.count ** 2, heads, length, length]);
          const one = images.slice(1, window, window + 1).squeeze(1);
          return [
            layer.path,
            one
              .slice(2, token, token + 1)
              .squeeze(2)
              .mean([1]),
          ] as const;
        }),
      );
    });
    const maps = layers.map((layer) => {
      const [all, cells] = [floats(result, layer.path), layer.side ** 2];
      const rows = pictures.map((_, i) => spreadOut(layer, all.subarray(i * cells, (i + 1) * cells)));
      return { path: layer.path, kind: layer.kind, size: layer.side * layer.count, rows };
    });
    return {
      kind: "panels",
      title: this.title,
      caption:
        "Where the token in the middle of the image can look, and does: by size of map and kind of window, heads averaged.",
      columns: Math.min(6, maps.length + 1),
      width: 160,
      panels: pictures.flatMap(({ pixels, name }, i) => [
        { title: name, image: pixels },
        ...maps.map(({ kind, size, rows }) => ({
          title: `${kind}, ${size} × ${size}`,
          image: overlay(pixels, rows[i], [size, size]),
        })),
      ]),
      data: maps,
    };
  },
};
