import { apply, concat, type Tensor } from "../graph/tensor.ts";
import type { Shape } from "../graph/types.ts";
import { spread } from "./shape.ts";
import { extent, type Window, windowCounts } from "./window.ts";

/**
 * Gradients of y = conv(x, w), from standard operators. With strides s, dilations d and pads p before the image,
 *
 *   y[n, o, i] = Σ_{c, q} x[n, c, s·i + d·q - p] · w[o, c, q]
 *
 * along each spatial axis, channels c and o within one of g groups. Names: x [N, C, H, W], w [O, C/g, kH, kW],
 * y [N, O, h, v].
 */
export interface ConvWindow extends Window {
  readonly group: number;
}

export function inputGrad(x: Shape, w: Tensor, dy: Tensor, window: ConvWindow): Tensor {
  return correlateSpread(x, w, dy, window);
}

export function weightGrad(x: Tensor, w: Shape, dy: Tensor, window: ConvWindow): Tensor {
  return matmulPerTap(x, w, dy, window);
}

/** dX = conv(dY with s - 1 zeros between its pixels, w flipped and its channels exchanged), at stride 1. */
function correlateSpread(x: Shape, w: Tensor, dy: Tensor, window: ConvWindow): Tensor {
  const { strides, pads, dilations, group } = window;
  const apart = spread(spread(dy, 2, strides[0]), 3, strides[1]);
  const before = [0, 1].map((i) => extent(window, i) - 1 - pads[i]);
  const after = [0, 1].map((i) => x[i + 2] + extent(window, i) - 1 - before[i] - apart.shape[i + 2]);
  return crop(apart, before, after).conv(adjoint(w, group), undefined, {
    pads: [...before, ...after].map((p) => Math.max(p, 0)),
    dilations,
    group,
  });
}

/** Negative pads as slices. */
function crop(x: Tensor, before: readonly number[], after: readonly number[]): Tensor {
  return [0, 1].reduce((t, i) => t.slice(i + 2, Math.max(-before[i], 0), t.shape[i + 2] - Math.max(-after[i], 0)), x);
}

/** Weights [O, C/g, kH, kW] as [C, O/g, kH, kW], flipped along both spatial axes. */
function adjoint(w: Tensor, group: number): Tensor {
  const [o, c, kh, kw] = w.shape;
  const exchanged = w
    .reshape([group, o / group, c, kh, kw])
    .transpose([0, 2, 1, 3, 4])
    .reshape([group * c, o / group, kh, kw]);
  return flip(flip(exchanged, 2), 3);
}

const flip = (x: Tensor, axis: number): Tensor =>
  x.shape[axis] === 1 ? x : x.slice(axis, x.shape[axis] - 1, -(2 ** 40), -1);

/** dW[o, c, q] = Σ_n dY[n, o, ·] · (x[n, c, ·] as tap q sees it)ᵀ: one product for each tap and group. */
function matmulPerTap(x: Tensor, w: Shape, dy: Tensor, window: ConvWindow): Tensor {
  const { group } = window;
  const [n, o, h, v] = dy.shape;
  const [, c, kh, kw] = w;
  const d = dy.reshape([n, group, o / group, h * v]);
  const taps = tapViews(x, window).map((view) =>
    d
      .matmul(view.reshape([n, group, c, h * v]).mT())
      .sum([0])
      .reshape([o * c, 1]),
  );
  return concat(taps, 1).reshape([o, c, kh, kw]);
}

/** What each tap of the kernel sees of x [a, b, H, W]: kH·kW images [a, b, h, v], row by row of the kernel. */
function tapViews(x: Tensor, window: ConvWindow): Tensor[] {
  const { kernel, strides, dilations } = window;
  const counts = windowCounts(x.shape, window);
  const padded = padToWindows(x, window);
  return [...Array(kernel[0] * kernel[1]).keys()].map((tap) => {
    const starts = [Math.floor(tap / kernel[1]) * dilations[0], (tap % kernel[1]) * dilations[1]];
    const ends = starts.map((start, i) => start + (counts[i] - 1) * strides[i] + 1);
    return apply("Slice", [padded], { starts, ends, axes: [2, 3], steps: strides });
  });
}

/** Zeros around x as far as windows reach; rows and columns after the last window stay. */
function padToWindows(x: Tensor, window: ConvWindow): Tensor {
  const { strides, pads } = window;
  const after = windowCounts(x.shape, window).map((n, i) =>
    Math.max(0, (n - 1) * strides[i] + extent(window, i) - pads[i] - x.shape[i + 2]),
  );
  return x.pad([
    [0, 0],
    [0, 0],
    [pads[0], after[0]],
    [pads[1], after[1]],
  ]);
}
