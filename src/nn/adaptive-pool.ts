import { constant, type Tensor } from "../graph/tensor.ts";
import { pair, type Size } from "./size.ts";

/**
 * Means over `size` windows a side, [N, C, H, W] to [N, C, size, size], by PyTorch's adaptive rule: window i of a side
 * of length L covers [floor(i·L / size), ceil((i + 1)·L / size)). Where size divides L these are plain windows;
 * elsewhere neighbours share a row or column; where L < size, pixels repeat.
 */
export function adaptiveAvgPool(x: Tensor, size: number | Size): Tensor {
  const [height, width] = pair(size);
  const [h, w] = [x.shape[2] / height, x.shape[3] / width];
  if (h === 1 && w === 1) return x;
  if (Number.isInteger(h) && Number.isInteger(w)) return x.avgPool({ kernel_shape: [h, w], strides: [h, w] });
  return windowMeans(height, x.shape[2]).matmul(x).matmul(windowMeans(width, x.shape[3]).mT());
}

/** [size, length]: row i averages window i. */
function windowMeans(size: number, length: number): Tensor {
  const rows = new Float64Array(size * length);
  for (let i = 0; i < size; i++) {
    const [start, end] = [Math.floor((i * length) / size), Math.ceil(((i + 1) * length) / size)];
    rows.fill(1 / (end - start), i * length + start, i * length + end);
  }
  return constant(rows, [size, length]);
}
