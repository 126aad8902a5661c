import type { Tensor } from "../graph/tensor.ts";
import type { Size } from "./size.ts";

/** Feature map [N, C, H, W] to tokens [N, H·W, C], rows first. */
export const toTokens = (x: Tensor): Tensor =>
  x.reshape([x.shape[0], x.shape[1], x.shape[2] * x.shape[3]]).transpose([0, 2, 1]);

/** Tokens [N, H·W, C] to the feature map [N, C, H, W]. */
export const toMap = (x: Tensor, [height, width]: Size): Tensor =>
  x.transpose([0, 2, 1]).reshape([x.shape[0], x.shape[2], height, width]);
