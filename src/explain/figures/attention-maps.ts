import { globalAttention } from "../attention.ts";
import { enlarge, HEAT, overlay, paint, stretch } from "../color.ts";
import type { Panel } from "../drawing.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { answer, floats } from "../subject.ts";

/** Attention of the class token (or the mean over all patches) to the patches, one panel a head. */
export const attentionMaps: Figure = {
  title: "Attention maps",
  source: "Dosovitskiy et al. 2021, figure 6; Caron et al. 2021 (DINO), figure 3",
  images: true,
  async draw(context) {
    const { model, pictures, layer } = context;
    const found: { path: string; size: readonly [number, number]; heads: number; asks: string }[] = [];
    const result = await answer(context, batchOf(pictures), (of) => {
      const layers = globalAttention(model, of);
      const chosen = layer === undefined ? layers[layers.length - 1] : layers.find((l) => l.path === layer);
      if (!chosen)
        throw lacks(
          model,
          `no attention among all tokens in ${layer}; it is in ${layers.map((l) => l.path).join(", ")}`,
        );
      const { probs, grid } = chosen;
      const rows = grid.prefix > 0 ? probs.slice(2, 0, 1) : probs.mean([2], true);
      const asks = grid.prefix > 0 ? "the class token" : "the mean patch";
      found.push({ path: chosen.path, size: grid.size, heads: probs.shape[1], asks });
      return new Map([["rows", rows.slice(3, grid.prefix, probs.shape[3])]]);
    });
    const [{ path, size, heads, asks }] = found;
    const rows = floats(result, "rows");
    const patches = size[0] * size[1];
    const row = (picture: number, head: number) =>
      rows.subarray((picture * heads + head) * patches, (picture * heads + head + 1) * patches);
    const panels = pictures.flatMap(({ pixels, name }, i): Panel[] => [
      { title: name, image: pixels },
      { title: "all heads", image: overlay(pixels, meanOf(Array.from({ length: heads }, (_, h) => row(i, h))), size) },
      ...Array.from({ length: heads }, (_, h) => ({
        title: `head ${h}`,
        image: paint(
          enlarge(stretch(row(i, h)), size, [pixels.height, pixels.width]),
          [pixels.height, pixels.width],
          HEAT,
        ),
      })),
    ]);
    return {
      kind: "panels",
      title: `Attention of ${path}`,
      caption: `Where ${asks} looks in ${path}, by head; each panel is stretched to its own range.`,
      columns: heads + 2,
      panels,
      width: 112,
      data: {
        layer: path,
        grid: size,
        images: pictures.map(({ name }, i) => ({
          name,
          heads: Array.from({ length: heads }, (_, h) => [...row(i, h)]),
        })),
      },
    };
  },
};

const meanOf = (rows: readonly Float32Array[]): Float32Array =>
  rows[0].map((_, i) => rows.reduce((sum, row) => sum + row[i], 0) / rows.length);
