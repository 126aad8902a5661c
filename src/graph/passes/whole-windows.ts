import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";

/**
 * Convolutions whose one window is the image (VGG's first dense layer) as one product over the batch: x [N, C, H, W] and
 * w [O, C, H, W] are rows, y = x · wᵀ + b. As a convolution the weights would be brought into blocked order first, which takes longer
 * than the product. Windows of one pixel gain nothing.
 */
export const wholeWindows = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    if (node.op !== "Conv" || node.outputs[0].dtype !== "float32") return undefined;
    const [x, w, b] = inputs as readonly Tensor[];
    const { pads = [0], group = 1 } = node.attrs as { pads?: readonly number[]; group?: number };
    const pixels = sizeOf(w.shape.slice(2));
    const whole =
      pixels > 1 && group === 1 && `${x.shape.slice(1)}` === `${w.shape.slice(1)}` && pads.every((p) => p === 0);
    if (!whole || x.shape[0] < 1) return undefined;
    const [rows, weights] = [x, w].map((t) => t.reshape([t.shape[0], sizeOf(t.shape.slice(1))]));
    return [rows.gemm(weights, b, { transB: 1 }).reshape(node.outputs[0].shape)];
  });
