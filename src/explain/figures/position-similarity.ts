import type { TensorData } from "../../graph/types.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { AMOUNT, mosaic, paint, stretch } from "../color.ts";
import { type Figure, lacks } from "../figure.ts";

/** Cosines of some rows of [L, D] with all. */
function cosines(table: Float32Array, dim: number, some: readonly number[]): Float32Array[] {
  const rows = Array.from({ length: table.length / dim }, (_, i) => table.subarray(i * dim, (i + 1) * dim));
  const norms = rows.map((row) => Math.hypot(...row) || 1);
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, v, k) => sum + v * b[k], 0);
  return some.map((i) => Float32Array.from(rows, (row, j) => dot(rows[i], row) / (norms[i] * norms[j])));
}

/** Most maps along a side: of larger grids every second, third... patch has one. */
const MOST = 16;

/** A map for every patch: how alike its position is to every other's. */
export const positionSimilarity: Figure = {
  title: "Similarity of position embeddings",
  source: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, figure 7 (centre)",
  images: false,
  async draw({ model, weights }) {
    const slot = model.slots.find((s) => s.grid && s.shape.length === 3);
    const table = slot && weights.get(slot.name);
    if (!slot?.grid || !table) throw lacks(model, "no learned table of positions");
    const { prefix, size } = slot.grid;
    const dim = slot.shape[2];
    const every = Math.ceil(Math.max(...size) / MOST);
    const shown = Array.from({ length: size[0] * size[1] }, (_, i) => i).filter(
      (i) => Math.floor(i / size[1]) % every === 0 && (i % size[1]) % every === 0,
    );
    const maps = cosines(toFloat32(table as TensorData).subarray(prefix * dim), dim, shown);
    const tiles = maps.map((map) => paint(stretch(map), size, AMOUNT));
    return {
      kind: "panels",
      title: this.title,
      caption: `${slot.name}: one small map for ${every > 1 ? `every ${every}th row and column` : "each"} of the ${size.join(" x ")} patches, its position's cosine with all others; bright is alike.`,
      columns: 1,
      panels: [{ image: mosaic(tiles, Math.ceil(size[1] / every)), sharp: true }],
      width: 560,
      data: { table: slot.name, grid: size, patches: shown, cosine: maps.map((m) => [...m]) },
    };
  },
};
