import { constant } from "../../graph/tensor.ts";
import { type GlobalAttention, globalAttention } from "../attention.ts";
import { batchOf, type Figure } from "../figure.ts";
import { answer, floats } from "../subject.ts";

/** Distances in image pixels between patches, [L, L], of a grid of h x w patches. */
function distances([h, w]: readonly [number, number], [height, width]: readonly [number, number]): Float64Array {
  const length = h * w;
  return Float64Array.from({ length: length * length }, (_, i) => {
    const [a, b] = [Math.floor(i / length), i % length];
    const dy = ((Math.floor(a / w) - Math.floor(b / w)) * height) / h;
    return Math.hypot(dy, (((a % w) - (b % w)) * width) / w);
  });
}

/** Mean over patches of the attention-weighted distance to the patches, tokens without a place left out: [n, heads]. */
function meanDistance({ probs, grid }: GlobalAttention, image: readonly [number, number]) {
  const [{ prefix, size }, length] = [grid, probs.shape[2]];
  const patches = probs.slice(2, prefix, length).slice(3, prefix, length);
  const shares = patches.div(patches.sum([3], true));
  return shares
    .mul(constant(distances(size, image), [length - prefix, length - prefix]))
    .sum([3])
    .mean([2]);
}

export const attentionDistance: Figure = {
  title: "Mean attention distance",
  source: "Dosovitskiy et al. 2021, An Image is Worth 16x16 Words, figure 7 (right) and appendix D.7",
  images: true,
  most: 32,
  async draw(context) {
    const { model, pictures } = context;
    const [, height, width] = model.inputShape;
    const paths: string[] = [];
    const result = await answer(context, batchOf(pictures), (of) => {
      const layers = globalAttention(model, of);
      paths.push(...layers.map((l) => l.path));
      return new Map(layers.map((l) => [l.path, meanDistance(l, [height, width])]));
    });
    const values = paths.flatMap((path, layer) => {
      const all = floats(result, path);
      const heads = all.length / pictures.length;
      return Array.from({ length: heads }, (_, head) => {
        const sum = pictures.reduce((s, _, i) => s + all[i * heads + head], 0);
        return { layer: layer + 1, path, head, distance: sum / pictures.length };
      });
    });
    return {
      kind: "chart",
      title: this.title,
      caption: `How far each head looks, in pixels of the ${width} x ${height} image, averaged over ${pictures.length} image(s); a dot a head.`,
      data: values,
      spec: {
        data: { values },
        width: 420,
        height: 260,
        mark: { type: "point", filled: true, opacity: 0.7 },
        encoding: {
          x: { field: "layer", type: "ordinal", title: "layer", axis: { labelAngle: 0 } },
          y: { field: "distance", type: "quantitative", title: "mean attention distance (pixels)" },
          color: { field: "head", type: "ordinal", legend: null },
        },
      },
    };
  },
};
