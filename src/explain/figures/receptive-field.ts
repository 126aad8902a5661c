import { grad } from "../../autodiff/grad.ts";
import type { Model } from "../../models/model.ts";
import { HEAT, paint, stretch } from "../color.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { asMaps, outputAt } from "../places.ts";
import { answer, floats, type Inside } from "../subject.ts";

/** |∂ (sum over channels of a map's centre) / ∂ pixel|, channels summed, for each feature map of the model. */
function centreSlopes(model: Model, of: Inside, layer?: string) {
  const paths =
    layer === undefined
      ? spread(
          model.featureInfo.map((f) => f.module),
          6,
        )
      : [layer];
  const found = paths.flatMap((path) => {
    const output = outputAt(of.outputs, path);
    const maps = output && asMaps(output, model);
    if (!maps) return [];
    const [, , h, w] = maps.shape;
    const centre = maps
      .slice(2, h >> 1, (h >> 1) + 1)
      .slice(3, w >> 1, (w >> 1) + 1)
      .sum();
    return [[path, grad(centre, [of.image])[0].abs().sum([1])] as const];
  });
  if (found.length === 0) throw lacks(model, "no feature maps whose receptive field could be drawn");
  return new Map(found);
}

/** At most `count` of a list, evenly, its last among them. */
const spread = <T>(list: readonly T[], count: number): T[] =>
  list.length <= count
    ? [...list]
    : Array.from({ length: count }, (_, i) => list[Math.round(((i + 1) * list.length) / count) - 1]);

export const receptiveField: Figure = {
  title: "Effective receptive field",
  source: "Luo et al. 2016, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
  images: true,
  async draw(context) {
    const { model, pictures, layer } = context;
    const [, height, width] = model.inputShape;
    const result = await answer(context, batchOf(pictures), (of) => centreSlopes(model, of, layer));
    const fields = [...result.keys()].map((path) => {
      const all = floats(result, path);
      const plane = height * width;
      const mean = Float32Array.from({ length: plane }, (_, i) =>
        pictures.reduce((sum, _, n) => sum + all[n * plane + i] / pictures.length, 0),
      );
      return { path, mean };
    });
    return {
      kind: "panels",
      title: this.title,
      caption: `How much each pixel moves the centre of a feature map, averaged over ${pictures.length} image(s); the square root is drawn.`,
      columns: Math.min(6, fields.length),
      panels: fields.map(({ path, mean }) => ({
        title: path,
        image: paint(stretch(mean.map(Math.sqrt)), [height, width], HEAT),
      })),
      width: 160,
      data: fields.map(({ path, mean }) => ({
        module: path,
        size: [height, width],
        area: areaOf(mean),
        field: [...mean],
      })),
    };
  },
};

/** Part of the image that holds 95 % of the field's weight. */
function areaOf(field: Float32Array): number {
  const sorted = [...field].sort((a, b) => b - a);
  const all = sorted.reduce((a, b) => a + b, 0);
  let [sum, count] = [0, 0];
  while (count < sorted.length && sum < 0.95 * all) sum += sorted[count++];
  return count / sorted.length;
}
