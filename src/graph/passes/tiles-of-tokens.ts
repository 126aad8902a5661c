import type { Program } from "../program.ts";
import { type Rule, rewrite } from "../rewrite.ts";
import type { ConvAttrs, Tensor } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { isSwap, tokensOfMap } from "./token-maps.ts";

/**
 * Convolutions whose windows tile a map that is made of tokens (PVT's reductions, its patches from stage to stage) as one product
 * over rows of tiles: runs of kW · C numbers are moved, and no map is made. With tokens x [N, H·W, C] and w [O, C, kH, kW],
 *
 *   rows [N · H/kH · W/kW, kH · kW · C],  y = rows · wᵀ + b, which is tokens again.
 *
 * Meant for the forward graph of a training step, before gradients are taken, which then are products of the same rows.
 */
export const tilesOfTokens = (program: Program): Program =>
  rewrite(program, (node, inputs) => RULES[node.op]?.(node, inputs as readonly Tensor[]));

const RULES: Readonly<Record<string, (...of: [Parameters<Rule>[0], readonly Tensor[]]) => Tensor[] | undefined>> = {
  Conv({ attrs, outputs: [{ shape }] }, [x, w, b]) {
    const tokens = tokensOfMap(x);
    return tokens && isTiling(x.shape, w.shape, attrs) ? [convOfTiles(tokens, w, b, shape)] : undefined;
  },
  /** A map that was made of tokens, as tokens. */
  Transpose({ attrs, outputs: [{ shape }] }, [x]) {
    const tokens = isSwap(attrs.perm) ? tokensOfMap(x) : undefined;
    return tokens && `${tokens.shape}` === `${shape}` ? [tokens] : undefined;
  },
};

function isTiling([, , ...size]: Shape, [, , ...kernel]: Shape, attrs: ConvAttrs): boolean {
  const { strides = [1, 1], pads = [0], dilations = [1], group = 1 } = attrs;
  const tiles = kernel.every((k, i) => strides[i] === k && size[i] % k === 0);
  return (
    tiles &&
    kernel.some((k) => k > 1) &&
    group === 1 &&
    [...pads].every((p) => p === 0) &&
    dilations.every((d) => d === 1)
  );
}

/** y [N, O, h, v]. */
function convOfTiles(tokens: Tensor, w: Tensor, b: Tensor | undefined, [n, o, h, v]: Shape): Tensor {
  const [, c, kh, kw] = w.shape;
  const rows = tokens
    .reshape([n * h, kh, v, kw * c])
    .transpose([0, 2, 1, 3])
    .reshape([n * h * v, kh * kw * c]);
  const weights = w.transpose([0, 2, 3, 1]).reshape([o, kh * kw * c]);
  return rows
    .gemm(weights, b, { transB: 1 })
    .reshape([n, h * v, o])
    .transpose([0, 2, 1])
    .reshape([n, o, h, v]);
}
