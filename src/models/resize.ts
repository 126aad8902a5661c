import type { TensorData } from "../graph/types.ts";
import { resamplePositionTable } from "../weights/resample.ts";
import { createModel } from "./index.ts";
import type { Model } from "./model.ts";
import type { Weights } from "./trace.ts";

/** The same model for images of another size. Throws TesseraeError("usage") for a size it cannot take. */
export const resizeModel = (model: Model, img_size: number | readonly [number, number]): Model => ({
  ...createModel(model.name, { ...model.options, img_size: typeof img_size === "number" ? img_size : [...img_size] }),
  preprocessing: model.preprocessing,
});

/**
 * Weights of `from` for `to`, the same architecture at another image size: position tables are resampled by bicubic
 * interpolation (ViT, section 3.2: fine-tuning at higher resolution), everything else is taken as it is.
 */
export function resizeWeights(from: Model, to: Model, weights: Weights): Map<string, TensorData> {
  const old = new Map(from.slots.map((s) => [s.name, s.grid]));
  const resized = new Map(weights);
  for (const { name, shape, grid } of to.slots) {
    const [table, oldGrid] = [weights.get(name), old.get(name)];
    if (!table || !grid || !oldGrid || `${grid.size}` === `${oldGrid.size}`) continue;
    const options = { from: oldGrid.size, to: grid.size, dim: shape[2], prefixTokens: grid.prefix };
    resized.set(name, { dtype: "float32", shape, data: resamplePositionTable(table.data as Float32Array, options) });
  }
  return resized;
}
