import type { Tensor } from "../graph/tensor.ts";
import { fn, trace } from "./module.ts";

/** Keeps each entry with probability 1 - rate and scales by 1 / (1 - rate); identity in evaluation. */
const masked = (x: Tensor, shape: readonly number[], rate: number): Tensor =>
  rate === 0 || !trace().training
    ? x
    : x.mul(
        trace()
          .noise(shape)
          .greaterOrEqual(rate)
          .cast(x.dtype)
          .mul(1 / (1 - rate)),
      );

/** Dropout (Srivastava et al. 2014). */
export const dropout = (rate: number) => fn((x: Tensor) => masked(x, x.shape, rate));

/** Drop path, stochastic depth by sample (Huang et al. 2016). */
export const dropPath = (rate: number) =>
  fn((x: Tensor) =>
    masked(
      x,
      x.shape.map((d, i) => (i === 0 ? d : 1)),
      rate,
    ),
  );
