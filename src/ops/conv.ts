import { TesseraeError } from "../errors.ts";
import { defineOp } from "../graph/op.ts";
import type { ConvAttrs, Tensor } from "../graph/tensor.ts";
import { type Shape, showShape, sizeOf, stridesOf } from "../graph/types.ts";
import { dot, forEachIndex, nd } from "./ndarray.ts";

interface Window {
  strides: readonly number[];
  pads: readonly number[];
  dilations: readonly number[];
  group: number;
}

export const windowOf = ({
  strides = [1, 1],
  pads = [0, 0, 0, 0],
  dilations = [1, 1],
  group = 1,
}: ConvAttrs): Window => ({
  strides,
  pads,
  dilations,
  group,
});

/** Output size along axis i of the window: floor((in + pads - dilation·(k - 1) - 1) / stride) + 1. */
export const windowOutput = (size: number, kernel: number, i: number, { strides, pads, dilations }: Window): number =>
  Math.floor((size + pads[i] + pads[i + 2] - dilations[i] * (kernel - 1) - 1) / strides[i]) + 1;

function convShape(x: Shape, w: Shape, window: Window): Shape {
  if (x.length !== 4 || w.length !== 4 || x[1] !== w[1] * window.group || w[0] % window.group)
    throw new TesseraeError(
      "shape",
      `Conv of images ${showShape(x)} with weights ${showShape(w)}, ${window.group} groups`,
    );
  const [h, width] = [windowOutput(x[2], w[2], 0, window), windowOutput(x[3], w[3], 1, window)];
  if (h < 1 || width < 1)
    throw new TesseraeError("shape", `a kernel of ${w[2]}x${w[3]} does not fit an image of ${x[2]}x${x[3]}`);
  return [x[0], w[0], h, width];
}

/** Convolution of images [N, C, H, W] with weights [O, C/group, kH, kW]. */
defineOp<ConvAttrs>("Conv", {
  type: ([x, w], attrs) => ({ dtype: x.dtype, shape: convShape(x.shape, w.shape, windowOf(attrs)) }),
  vjp: ({ x: [x, w, b], dy, attrs }) => {
    const window = windowOf(attrs);
    const [dx, dw] = isPatchify(x.shape, w.shape, window) ? patchifyGrad(x, w, dy) : unsupported();
    return [dx, dw, b && dy.sum([0, 2, 3])];
  },
  evaluate: ([x, w, b], attrs) => {
    const window = windowOf(attrs);
    const { strides, pads, dilations, group } = window;
    const shape = convShape(x.shape, w.shape, window);
    const [, cg, kh, kw] = w.shape;
    const [, , H, W] = x.shape;
    const [xs, ws] = [stridesOf(x.shape), stridesOf(w.shape)];
    const out = nd(shape);
    forEachIndex(shape, (flat, [n, o, i, j]) => {
      let sum = b?.data[o] ?? 0;
      const c0 = Math.floor(o / (shape[1] / group)) * cg;
      for (let c = 0; c < cg; c++)
        for (let p = 0; p < kh; p++)
          for (let q = 0; q < kw; q++) {
            const y = i * strides[0] + p * dilations[0] - pads[0];
            const z = j * strides[1] + q * dilations[1] - pads[1];
            if (y < 0 || z < 0 || y >= H || z >= W) continue;
            sum += x.data[dot([n, c0 + c, y, z], xs)] * w.data[dot([o, c, p, q], ws)];
          }
      out.data[flat] = sum;
    });
    return out;
  },
  macs: ([, w], _attrs, [y]) => sizeOf(y.shape) * sizeOf(w.shape.slice(1)),
  check: [{ x: [[2, 3, 4, 6], [5, 3, 2, 2], [5]], attrs: { strides: [2, 2] } }],
});

const unsupported = (): never => {
  throw new TesseraeError("model", "no gradient yet for a convolution whose patches overlap");
};

/** Do the windows tile the image: stride = kernel, no padding, one group? */
const isPatchify = (x: Shape, w: Shape, { strides, pads, dilations, group }: Window): boolean =>
  group === 1 &&
  strides[0] === w[2] &&
  strides[1] === w[3] &&
  x[2] % w[2] === 0 &&
  x[3] % w[3] === 0 &&
  pads.every((p) => p === 0) &&
  dilations.every((d) => d === 1);

/** A tiling convolution is one product: rows of patches [N·h·w, C·kH·kW] with the weights [O, C·kH·kW]. */
function patchifyGrad(x: Tensor, w: Tensor, dy: Tensor): readonly [Tensor, Tensor] {
  const [n, c, H, W] = x.shape;
  const [o, , kh, kw] = w.shape;
  const [h, v] = [H / kh, W / kw];
  const rows = x
    .reshape([n, c, h, kh, v, kw])
    .transpose([0, 2, 4, 1, 3, 5])
    .reshape([n * h * v, c * kh * kw]);
  const dRows = dy.transpose([0, 2, 3, 1]).reshape([n * h * v, o]);
  const dw = dRows.gemm(rows, undefined, { transA: 1 }).reshape(w.shape);
  const dx = dRows
    .gemm(w.reshape([o, c * kh * kw]))
    .reshape([n, h, v, c, kh, kw])
    .transpose([0, 3, 1, 4, 2, 5])
    .reshape(x.shape);
  return [dx, dw];
}
