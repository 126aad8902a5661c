import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";
import { rowKind } from "./row-regions.ts";

/**
 * Batch norm in training of what elementwise operators give (ConvMixer's order), as sums of each image and one
 * multiplication and addition, which "fuse-elementwise" joins with what comes before and after; the runtime's own operator
 * walks three times through memory on one thread.
 * Means and squares are taken about each image's mean m_n and joined (Chan et al. 1979), so large means cancel nowhere:
 *
 *   mean = mean_n m_n,  variance = mean_n (Σ_p (x_np - m_n)² / P + (m_n - mean)²)
 */
export const batchNormByRows = (program: Program, large: number): Program =>
  rewrite(program, (node, inputs) => {
    const { epsilon, training_mode, momentum } = node.attrs;
    const [x, scale, bias] = inputs as readonly Tensor[];
    const given = node.op === "BatchNormalization" && training_mode === 1 && momentum === 0;
    if (!given || x.rank !== 4 || x.shape[0] < 2 || x.size < large) return undefined;
    // After a convolution its sums would read x once more, and the operator is as fast.
    if (rowKind(x.node)?.kind !== "rows") return undefined;
    const [, c, h, w] = x.shape;
    const own = x.mean([2, 3], true);
    const squares = x.sub(own).sumSquare([2, 3], true);
    const mean = own.mean([0], true);
    const variance = squares
      .mean([0], true)
      .mul(1 / (h * w))
      .add(own.sub(mean).square().mean([0], true));
    const gain = scale.reshape([1, c, 1, 1]).mul(
      variance
        .add(epsilon as number)
        .sqrt()
        .reciprocal(),
    );
    const y = x.mul(gain).add(bias.reshape([1, c, 1, 1]).sub(mean.mul(gain)));
    return [y, mean.reshape([c]), variance.reshape([c])];
  });
