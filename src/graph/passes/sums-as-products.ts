import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { fill, type Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";

/**
 * Sums over all leading axes (gradients of biases and of norms' scales) as a product with a row of ones: the
 * matrix library reads the activation once, with all threads.
 */
export const sumsAsProducts = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    if (node.op !== "ReduceSum" || node.outputs[0].dtype !== "float32") return undefined;
    const x = inputs[0] as Tensor;
    const axes = node.attrs.axes as readonly number[];
    const leading = axes.length < x.rank && axes.every((a, i) => a === i);
    const rows = sizeOf(x.shape.slice(0, axes.length));
    const columns = sizeOf(x.shape.slice(axes.length));
    if (!leading || rows < 64 || columns < 16) return undefined;
    const sum = fill(1, [1, rows]).gemm(x.reshape([rows, columns]));
    return [sum.reshape(node.outputs[0].shape)];
  });
