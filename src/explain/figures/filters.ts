import { PCA } from "ml-pca";
import type { PixelImage } from "../../data/image.ts";
import type { TensorData } from "../../graph/types.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { balance, mosaic } from "../color.ts";
import { type Figure, lacks } from "../figure.ts";

/** Most tiles of the figure. */
const MOST = 64;
/** Filters of this side or more are patches: their principal components are drawn (ViT's figure has 28). */
const PATCH = 8;
const COMPONENTS = 28;

/** A filter [C, h, w] as a picture, 0 in the middle of grey; one channel, or its mean where they are not RGB. */
export function filterImage(filter: ArrayLike<number>, [channels, height, width]: readonly number[]): PixelImage {
  const plane = height * width;
  const shown = balance(filter);
  const data = new Uint8Array(3 * plane);
  for (let i = 0; i < plane; i++)
    for (let c = 0; c < 3; c++) data[3 * i + c] = Math.round(255 * shown[(channels === 3 ? c : 0) * plane + i]);
  return { width, height, data };
}

/** The first principal components of the rows of [D, n]. */
function components(weights: Float32Array, rows: number, most: number): { vectors: number[][]; explained: number[] } {
  const n = weights.length / rows;
  const matrix = Array.from({ length: rows }, (_, i) => Array.from(weights.subarray(i * n, (i + 1) * n)));
  const pca = new PCA(matrix, { center: true });
  const loadings = pca.getLoadings().to2DArray();
  return { vectors: loadings.slice(0, most), explained: pca.getExplainedVariance().slice(0, most) };
}

export const filters: Figure = {
  title: "First filters",
  source: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, figure 7 (left)",
  images: false,
  async draw({ model, weights }) {
    const slot = model.slots.find((s) => s.shape.length === 4 && s.shape[1] === model.inputShape[0]);
    const tensor = slot && weights.get(slot.name);
    if (!slot || !tensor) throw lacks(model, "no convolution or patch embedding that reads the image");
    const [count, ...shape] = slot.shape;
    const values = toFloat32(tensor as TensorData);
    const size = values.length / count;
    const asPatches = shape[1] >= PATCH;
    const own = Array.from({ length: Math.min(count, MOST) }, (_, i) => values.subarray(i * size, (i + 1) * size));
    const found = asPatches ? components(values, count, COMPONENTS) : undefined;
    const shown: ArrayLike<number>[] = found?.vectors ?? own;
    const tiles = shown.map((v) => filterImage(v, shape));
    return {
      kind: "panels",
      title: asPatches ? "Principal components of the patch embedding" : this.title,
      caption: asPatches
        ? `The first ${shown.length} principal components of ${slot.name}, ${count} filters of ${shape.slice(1).join(" x ")} pixels.`
        : `${shown.length} of the ${count} filters of ${slot.name}, ${shape.slice(1).join(" x ")} pixels, each stretched to its own range.`,
      columns: 1,
      panels: [{ image: mosaic(tiles, asPatches ? 7 : 8), sharp: true }],
      width: 420,
      data: { tensor: slot.name, shape, filters: shown.map((v) => Array.from(v)), explained: found?.explained },
    };
  },
};
