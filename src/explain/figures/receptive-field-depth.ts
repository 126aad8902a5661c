import { depthChart, fieldsByDepth, seriesOf } from "../depth-chart.ts";
import type { Figure } from "../figure.ts";

/** The receptive field of a place in the middle by depth: what it can see, and what moves it. */
export const receptiveFieldByDepth: Figure = {
  title: "Receptive field by depth",
  source:
    "Luo et al. 2016, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks, section 2; ViT, section 4.5",
  images: true,
  most: 8,
  async draw(context) {
    const { model, pictures } = context;
    const [, height, width] = model.inputShape;
    const fields = await fieldsByDepth(context);
    const series = seriesOf(fields, [height, width], {
      composed: "what it can see, composed of kernels and strides or all of the image behind attention",
      effective: "what holds 95 % of the gradient's weight",
    });
    const unknown = fields.filter((f) => !f.composed).map((f) => f.path);
    const missing =
      unknown.length > 0 ? ` No composition is known for ${unknown.length} of ${fields.length} layers.` : "";
    return depthChart(series, [height, width], {
      title: this.title,
      caption: `Side of the square of equal area, over ${pictures.length} image(s) of ${width} x ${height} pixels; the dashed line is the image.${missing}`,
      depth: "block (0: the layer that reads the image)",
      side: "side (pixels)",
      data: fields,
    });
  },
};
