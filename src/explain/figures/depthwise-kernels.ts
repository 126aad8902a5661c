import type { TensorData } from "../../graph/types.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { balance, mosaic, paint, SIGNED } from "../color.ts";
import type { Panel } from "../drawing.ts";
import { type Figure, lacks } from "../figure.ts";

const MOST = 64;

/** Kernels of every depthwise convolution, layer by layer. */
export const depthwiseKernels: Figure = {
  title: "Depthwise kernels",
  source: "Trockman and Kolter 2022, Patches Are All You Need?, appendix on learned kernels",
  images: false,
  async draw({ model, weights }) {
    const slots = model.slots.filter(
      ({ shape: [out, into, h, w], ...s }) => s.slot === "parameter" && out > 1 && into === 1 && h * w > 1,
    );
    if (slots.length === 0) throw lacks(model, "no depthwise convolution larger than a pixel");
    const panels = slots.map(({ name, shape: [count, , h, w] }): Panel => {
      const values = toFloat32(weights.get(name) as TensorData);
      const tiles = Array.from({ length: Math.min(count, MOST) }, (_, i) =>
        paint(balance(values.subarray(i * h * w, (i + 1) * h * w)), [h, w], SIGNED),
      );
      return { title: name, image: mosaic(tiles, 8), sharp: true };
    });
    return {
      kind: "panels",
      title: this.title,
      caption: `Up to ${MOST} kernels of each of ${slots.length} depthwise convolutions, each stretched to its own range: red above 0, blue below.`,
      columns: 4,
      panels,
      width: 180,
      data: slots.map(({ name, shape }) => ({
        tensor: name,
        shape,
        values: [...toFloat32(weights.get(name) as TensorData)],
      })),
    };
  },
};
