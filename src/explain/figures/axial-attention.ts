import type { Tensor } from "../../graph/tensor.ts";
import type { Model } from "../../models/model.ts";
import type { Size } from "../../nn/size.ts";
import { type TracedLayer, tracedLayers } from "../attention-layers.ts";
import { overlay } from "../color.ts";
import type { Panel } from "../drawing.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { answer, floats, type Inside } from "../subject.ts";

/** The two layers of a block: along the height, within columns; then along the width, within rows. */
interface Axial {
  readonly path: string;
  /** Of the map. */
  readonly size: Size;
  readonly column: TracedLayer;
  readonly row: TracedLayer;
}

const PARTS = /\.(hight|width)_block$/;

/** Blocks with attention along both axes; of each map's size the last. */
function axialBlocks(model: Model, of: Inside): Axial[] {
  const found = new Map<string, Axial>();
  const layers = tracedLayers(model, of);
  for (const column of layers) {
    const path = column.path.replace(PARTS, "");
    const row = layers.find((l) => l.kind === "row" && l.path.replace(PARTS, "") === path);
    if (column.kind === "column" && row)
      found.set(`${column.queries.grid}`, { path, size: column.queries.grid, column, row });
  }
  if (found.size === 0) throw lacks(model, "no attention along rows and columns");
  return [...found.values()];
}

/** What place `at` of every line attends to, heads averaged: [n · lines, length]. */
const atPlace = ({ probs }: TracedLayer, at: number): Tensor =>
  probs
    .slice(2, at, at + 1)
    .squeeze(2)
    .mean([1]);

/** Shares of one image: of the middle's column, of its row, and of all places through both, [H · W]. */
export function axialShares([h, w]: Size, columns: ArrayLike<number>, row: ArrayLike<number>) {
  const [y, x] = [h >> 1, w >> 1];
  const empty = () => new Float32Array(h * w);
  const [column, line, both] = [empty(), empty(), empty()];
  for (let i = 0; i < h; i++) column[i * w + x] = columns[x * h + i];
  for (let j = 0; j < w; j++) line[y * w + j] = row[j];
  // The row is asked of what columns gave: place (i, j) has its share of column j in that column's share of the row.
  for (let i = 0; i < h; i++) for (let j = 0; j < w; j++) both[i * w + j] = row[j] * columns[j * h + i];
  return { column, row: line, both };
}

/** Where the place in the middle looks in its column, in its row, and through both over the map. */
export const axialAttention: Figure = {
  title: "Axial attention",
  source:
    "Wang et al. 2020, Axial-DeepLab, figures 1 and 2; Ho et al. 2019, Axial Attention in Multidimensional Transformers",
  images: true,
  async draw(context) {
    const { model, pictures } = context;
    const blocks: Axial[] = [];
    const result = await answer(context, batchOf(pictures), (of) => {
      blocks.push(...axialBlocks(model, of));
      return new Map(
        blocks.flatMap(({ path, size, column, row }) => [
          [`${path} columns`, atPlace(column, size[0] >> 1)] as const,
          [`${path} rows`, atPlace(row, size[1] >> 1)] as const,
        ]),
      );
    });
    const maps = blocks.map(({ path, size }) => {
      const [h, w] = size;
      const shares = pictures.map((_, i) => {
        const columns = floats(result, `${path} columns`).subarray(i * w * h, (i + 1) * w * h);
        const row = floats(result, `${path} rows`).subarray((i * h + (h >> 1)) * w, (i * h + (h >> 1) + 1) * w);
        return axialShares(size, columns, row);
      });
      return { path, size, shares };
    });
    const panels = pictures.flatMap(({ pixels, name }, i) =>
      maps.flatMap(({ path, size, shares }): Panel[] => {
        const over = (title: string, values: Float32Array) => ({ title, image: overlay(pixels, values, size) });
        const { column, row, both } = shares[i];
        return [{ title: name, image: pixels }, over(`${path}: column`, column), over("row", row), over("both", both)];
      }),
    );
    return {
      kind: "panels",
      title: this.title,
      caption:
        "Where the place in the middle looks in its column, in its row, and through both: each size of map's last block, heads averaged.",
      columns: 4,
      width: 160,
      panels,
      data: maps.map(({ path, size, shares }) => ({
        path,
        size,
        images: shares.map(({ column, row, both }) => ({ column: [...column], row: [...row], both: [...both] })),
      })),
    };
  },
};
