import { evaluate } from "../../graph/evaluate.ts";
import { type NdArray, type TensorData, toDoubles } from "../../graph/types.ts";
import type { Model } from "../../models/model.ts";
import type { Weights } from "../../models/trace.ts";
import { relativePositionIndex } from "../../nn/position.ts";
import type { Size } from "../../nn/size.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { AMOUNT, balance, mosaic, paint, SIGNED, stretch } from "../color.ts";
import type { Drawing } from "../drawing.ts";
import { type Figure, type FigureContext, lacks } from "../figure.ts";
import { tokenGrid } from "../places.ts";
import { inside } from "../subject.ts";

/** Cosines of some rows of [L, D] with all. */
function cosines(table: ArrayLike<number>, dim: number, some: readonly number[]): Float32Array[] {
  const rows = Array.from({ length: table.length / dim }, (_, i) =>
    Array.from({ length: dim }, (_, k) => table[i * dim + k]),
  );
  const norms = rows.map((row) => Math.hypot(...row) || 1);
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, k) => sum + v * b[k], 0);
  return some.map((i) => Float32Array.from(rows, (row, j) => dot(rows[i], row) / (norms[i] * norms[j])));
}

/** Most maps along a side: of larger grids every second, third... patch has one. */
const MOST = 16;

/** The patches of a grid that have a map. */
function shownOf(size: Size): { shown: number[]; every: number } {
  const every = Math.ceil(Math.max(...size) / MOST);
  const all = Array.from({ length: size[0] * size[1] }, (_, i) => i);
  return { shown: all.filter((i) => Math.floor(i / size[1]) % every === 0 && (i % size[1]) % every === 0), every };
}

/** A vector for each patch. */
interface Table {
  readonly name: string;
  readonly size: Size;
  readonly dim: number;
  readonly values: ArrayLike<number>;
}

/** A learned table of places, by patch or (2-D) by row and column, or the fixed one of sines. */
function tableOf({ model, weights }: Pick<FigureContext, "model" | "weights">): Table | undefined {
  const slot = model.slots.find((s) => s.grid && s.shape.length === 3);
  const learned = slot && weights.get(slot.name);
  if (slot?.grid && learned) {
    const [{ prefix, size }, dim] = [slot.grid, slot.shape[2]];
    return { name: slot.name, size, dim, values: toFloat32(learned).subarray(prefix * dim) };
  }
  const { outputs } = inside(model, 1);
  const name = ["pos_grid", "pos_fixed"].find((path) => outputs.has(path));
  const made = name === undefined ? undefined : outputs.get(name);
  const place = made && tokenGrid(model, made.shape[1]);
  if (!name || !made || !place) return undefined;
  const [{ data }] = evaluate([made], doubles(model, weights, `${name}.`));
  const dim = made.shape[2];
  return { name, size: place.size, dim, values: data.subarray(place.prefix * dim) };
}

/** Weights below a path, in doubles. */
const doubles = (model: Model, weights: Weights, path: string): Map<string, NdArray> =>
  new Map(
    model.slots.flatMap(({ name }) => {
      const t = name.startsWith(path) ? weights.get(name) : undefined;
      return t ? [[name, { shape: t.shape, data: toDoubles(t.data) }] as const] : [];
    }),
  );

/** Grid of grids: a map [H · W] for some patches of a grid, each in its patch's place. */
function gridOfGrids(
  title: string,
  { name, size }: Pick<Table, "name" | "size">,
  told: { shows: string; key: "cosine" | "bias"; of: (patches: readonly number[]) => Float32Array[] },
): Drawing {
  const { shown, every } = shownOf(size);
  const maps = told.of(shown);
  const tiles = maps.map((map) =>
    told.key === "bias" ? paint(balance(map), size, SIGNED) : paint(stretch(map), size, AMOUNT),
  );
  return {
    kind: "panels",
    title,
    caption: `${name}: one small map for ${every > 1 ? `every ${every}th row and column` : "each"} of the ${size.join(" x ")} patches, ${told.shows}.`,
    columns: 1,
    panels: [{ image: mosaic(tiles, Math.ceil(size[1] / every)), sharp: true }],
    width: 560,
    data: { table: name, grid: size, patches: shown, [told.key]: maps.map((m) => [...m]) },
  };
}

/** How alike every patch's vector is to every other's. */
const similarityDrawing = (title: string, table: Table): Drawing =>
  gridOfGrids(title, table, {
    shows: "its position's cosine with all others; bright is alike",
    key: "cosine",
    of: (patches) => cosines(table.values, table.dim, patches),
  });

/** What relative positions add for every pair of places of a window, heads averaged. */
function biasDrawing(title: string, { model, weights }: Pick<FigureContext, "model" | "weights">): Drawing | undefined {
  const slot = model.slots.find((s) => s.window && weights.has(s.name));
  if (!slot?.window) return undefined;
  const [size, values] = [slot.window, toFloat32(weights.get(slot.name) as TensorData)];
  const headsFirst = slot.shape.length === 3;
  const heads = headsFirst ? slot.shape[0] : slot.shape[1];
  const cells = values.length / heads;
  const mean = Float64Array.from({ length: cells }, (_, cell) => {
    let sum = 0;
    for (let h = 0; h < heads; h++) sum += values[headsFirst ? h * cells + cell : cell * heads + h] / heads;
    return sum;
  });
  // Tables with the heads first hold the offset of key from query, the others that of query from key.
  const index = relativePositionIndex(size);
  const length = size[0] * size[1];
  const at = (q: number, k: number) => mean[headsFirst ? index[k * length + q] : index[q * length + k]];
  return gridOfGrids(
    title,
    { name: slot.name, size },
    {
      shows: "the bias that it adds for all others, heads averaged; red above 0, blue below",
      key: "bias",
      of: (patches) => patches.map((q) => Float32Array.from({ length }, (_, k) => at(q, k))),
    },
  );
}

/** Tables of offsets along one axis, [..., offsets]: the cosine of every offset's vector with every other's. */
function offsetDrawing(
  title: string,
  { model, weights }: Pick<FigureContext, "model" | "weights">,
): Drawing | undefined {
  const slots = model.slots.filter((s) => /\.relative(\.rows|\.columns)?$/.test(s.name) && weights.has(s.name));
  if (slots.length === 0) return undefined;
  const tables = slots.map(({ name, shape }) => {
    const offsets = shape[shape.length - 1];
    const values = toFloat32(weights.get(name) as TensorData);
    const dim = values.length / offsets;
    const rows = Float32Array.from(values, (_, i) => values[(i % dim) * offsets + Math.floor(i / dim)]);
    return { name, offsets, maps: cosines(rows, dim, [...Array(offsets).keys()]) };
  });
  return {
    kind: "panels",
    title,
    caption:
      "Tables of offsets along one axis: how alike the vectors of every two offsets are, from the farthest before to the farthest behind; bright is alike.",
    columns: 4,
    panels: tables.map(({ name, offsets, maps }) => ({
      title: name.replace(".relative", ""),
      image: paint(stretch(maps.flatMap((m) => [...m])), [offsets, offsets], AMOUNT),
      sharp: true,
    })),
    width: 180,
    data: tables.map(({ name, offsets, maps }) => ({ table: name, offsets, cosine: maps.map((m) => [...m]) })),
  };
}

/** How alike positions are: of a table by patch, by row and column, of sines, or of offsets. */
export const positionSimilarity: Figure = {
  title: "Similarity of position embeddings",
  source: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, figure 7 (centre) and appendix D.4",
  images: false,
  async draw(context) {
    const table = tableOf(context);
    const drawn = table
      ? similarityDrawing(this.title, table)
      : (biasDrawing(this.title, context) ?? offsetDrawing(this.title, context));
    if (!drawn) throw lacks(context.model, "no table of positions");
    return drawn;
  },
};
