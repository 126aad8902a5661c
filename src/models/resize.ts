import { sizeOf, type TensorData } from "../graph/types.ts";
import type { NamedSlot } from "../nn/module.ts";
import { toFloat32 } from "../weights/host-tensor.ts";
import { type GridSize, resampleOffsetTable, resamplePositionTable } from "../weights/resample.ts";
import { createModel } from "./index.ts";
import type { Model } from "./model.ts";
import type { Weights } from "./trace.ts";

/** The same model for images of another size. Throws TesseraeError("usage") for a size it cannot take. */
export const resizeModel = (model: Model, img_size: number | readonly [number, number]): Model => ({
  ...createModel(model.name, { ...model.options, img_size: typeof img_size === "number" ? img_size : [...img_size] }),
  preprocessing: model.preprocessing,
});

/**
 * Weights of `from` for `to`, the same architecture at another image size: position tables and tables of relative
 * positions are resampled (see resampleTable), everything else is taken as it is.
 */
export function resizeWeights(from: Model, to: Model, weights: Weights): Map<string, TensorData> {
  const old = new Map(from.slots.map((s) => [s.name, s]));
  const resized = new Map(weights);
  for (const slot of to.slots) {
    const [table, was] = [weights.get(slot.name), old.get(slot.name)];
    if (!table || !was || `${was.grid?.size}${was.window}` === `${slot.grid?.size}${slot.window}`) continue;
    const made = resampleTable(slot, table, was);
    if (made) resized.set(slot.name, made);
  }
  return resized;
}

const square = (count: number): GridSize | undefined => {
  const side = Math.sqrt(count);
  return Number.isInteger(side) && side > 0 ? [side, side] : undefined;
};

/**
 * A table of positions for a slot of another grid or window, as timm loads it: absolute ones by antialiased bicubic
 * interpolation, relative ones on geometric places. The table's own grid is that of `from`, else it is taken as square.
 * undefined where the slot has no grid, or the table does not fit one.
 */
export function resampleTable(
  { shape, grid, window }: NamedSlot,
  table: TensorData,
  from: Pick<NamedSlot, "grid" | "window"> = {},
): TensorData | undefined {
  const data = toFloat32(table);
  if (grid && table.shape.length === 3 && table.shape[2] === shape[2]) {
    const size = from.grid?.size ?? square(table.shape[1] - grid.prefix);
    if (!size) return undefined;
    const options = { from: size, to: grid.size, dim: shape[2], prefixTokens: grid.prefix };
    return { dtype: "float32", shape, data: resamplePositionTable(data, options) };
  }
  if (!window || table.shape.length !== shape.length) return undefined;
  const first = shape.length === 3;
  const heads = first ? shape[0] : shape[1];
  if ((first ? table.shape[0] : table.shape[1]) !== heads) return undefined;
  const offsets = from.window && ([2 * from.window[0] - 1, 2 * from.window[1] - 1] as const);
  const size = offsets ?? (first ? ([table.shape[1], table.shape[2]] as const) : square(table.shape[0]));
  if (!size || sizeOf(size) * heads !== data.length || size.some((s) => s % 2 === 0)) return undefined;
  const to = [2 * window[0] - 1, 2 * window[1] - 1] as const;
  const layout = first ? "heads first" : "heads last";
  return { dtype: "float32", shape, data: resampleOffsetTable({ data, size, heads, layout }, to) };
}
