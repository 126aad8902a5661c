import { HEAT, paint, stretch } from "../color.ts";
import { batchOf, type Figure, lacks } from "../figure.ts";
import { areaOf, depthsOf, meanOverImages, middleSlope, spread } from "../receptive.ts";
import { answer, floats } from "../subject.ts";

/** Most feature maps drawn. */
const MOST = 6;

export const receptiveField: Figure = {
  title: "Effective receptive field",
  source: "Luo et al. 2016, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks",
  images: true,
  most: 16,
  async draw(context) {
    const { model, pictures, layer } = context;
    const [, height, width] = model.inputShape;
    const paths = layer === undefined ? model.featureInfo.map((f) => f.module) : [layer];
    const result = await answer(context, batchOf(pictures), (of) => {
      const depths = depthsOf(model, of, spread(paths, MOST));
      if (depths.length === 0) throw lacks(model, "no feature maps whose receptive field could be drawn");
      return new Map(depths.map((depth) => [depth.path, middleSlope(depth, of.image)]));
    });
    const fields = [...result.keys()].map((path) => ({
      path,
      mean: meanOverImages(floats(result, path), pictures.length),
    }));
    return {
      kind: "panels",
      title: this.title,
      caption: `How much each pixel moves the centre of a feature map, averaged over ${pictures.length} image(s); the square root is drawn.`,
      columns: Math.min(MOST, fields.length),
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
