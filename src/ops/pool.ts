import { TesseraeError } from "../errors.ts";
import { defineOp } from "../graph/op.ts";
import { type AveragePoolAttrs, apply, concat, constant, fill, type PoolAttrs, type Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, showShape, sizeOf, type TensorType } from "../graph/types.ts";
import { forEachIndex, nd } from "./ndarray.ts";
import { type Window, windowCounts, windowOf } from "./window.ts";

function pooledShape(x: Shape, attrs: PoolAttrs): Shape {
  const { kernel_shape, pads = [] } = attrs;
  if (x.length !== 4 || kernel_shape.length !== 2 || pads.some((p, i) => p < 0 || p >= kernel_shape[i % 2]))
    throw new TesseraeError("shape", `a window of ${kernel_shape.join("x")} padded by [${pads}] on ${showShape(x)}`, {
      hint: "Pooling takes images [N, C, H, W], two kernel sizes, and pads smaller than the kernel.",
    });
  return [x[0], x[1], ...windowCounts(x, windowOf(kernel_shape, attrs))];
}

/** [start, end) of window i along an axis, cut to the image. */
function span(i: number, axis: number, size: number, { kernel, strides, pads }: Window): readonly [number, number] {
  const start = i * strides[axis] - pads[axis];
  return [Math.max(start, 0), Math.min(start + kernel[axis], size)];
}

/** Calls f(flat output index, flat indices of the pixels in its window). */
function forEachWindow(x: NdArray, attrs: PoolAttrs, f: (flat: number, pixels: readonly number[]) => void): Shape {
  const shape = pooledShape(x.shape, attrs);
  const window = windowOf(attrs.kernel_shape, attrs);
  const [, C, H, W] = x.shape;
  forEachIndex(shape, (flat, [n, c, i, j]) => {
    const [[top, bottom], [left, right]] = [span(i, 0, H, window), span(j, 1, W, window)];
    const pixels: number[] = [];
    for (let y = top; y < bottom; y++) for (let z = left; z < right; z++) pixels.push(((n * C + c) * H + y) * W + z);
    f(flat, pixels);
  });
  return shape;
}

/** y = max over each window, and where it was found: the flat index into x of the first maximum, row by row. */
defineOp<PoolAttrs>("MaxPool", {
  type: ([x], attrs) => {
    const shape = pooledShape(x.shape, attrs);
    return [
      { dtype: x.dtype, shape },
      { dtype: "int64", shape },
    ];
  },
  vjp: ({ x: [x], y: [, indices], dy }) => {
    const at = indices.reshape([dy.size]);
    const dx = apply("ScatterElements", [constant(0, [], x.dtype).expand([x.size]), at, dy.reshape([dy.size])], {
      axis: 0,
      reduction: "add",
    });
    return [dx.reshape(x.shape)];
  },
  evaluate: ([x], attrs) => {
    const best: number[] = [];
    const shape = forEachWindow(x, attrs, (flat, pixels) => {
      best[flat] = pixels.reduce((a, b) => (x.data[b] > x.data[a] ? b : a));
    });
    return [
      nd(
        shape,
        Float64Array.from(best, (i) => x.data[i]),
      ),
      nd(shape, Float64Array.from(best)),
    ];
  },
  check: [
    { x: [[2, 2, 4, 6]], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
    { x: [[2, 2, 7, 6]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
    { x: [[2, 2, 6, 6]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [0, 0, 1, 1] } },
    { x: [[1, 2, 6, 7]], attrs: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
    { x: [[1, 2, 5, 4]], attrs: { kernel_shape: [3, 2], pads: [1, 0, 1, 1] } },
  ],
});

/**
 * Pixels that window i along an axis divides by. With padding counted, pixels past the end of the padding
 * (where ceil_mode lets a window reach) still are not.
 */
function divisor(i: number, axis: number, size: number, window: Window, includePad: boolean): number {
  const [start, end] = span(i, axis, size, window);
  if (!includePad) return end - start;
  const first = i * window.strides[axis] - window.pads[axis];
  return Math.min(first + window.kernel[axis], size + window.pads[axis + 2]) - first;
}

/** Pixels averaged in each window, along each spatial axis: the count is the product of the two. */
function divisors(x: Shape, attrs: AveragePoolAttrs): readonly [number[], number[]] {
  const window = windowOf(attrs.kernel_shape, attrs);
  const [h, w] = windowCounts(x, window).map((n, axis) =>
    Array.from({ length: n }, (_, i) => divisor(i, axis, x[axis + 2], window, Boolean(attrs.count_include_pad))),
  );
  return [h, w];
}

/** y = mean over each window. */
defineOp<AveragePoolAttrs>("AveragePool", {
  type: ([x], attrs) => ({ dtype: x.dtype, shape: pooledShape(x.shape, attrs) }),
  vjp: ({ x: [x], dy, attrs }) => [sumOfWindows(shareOut(dy, x, attrs), x.shape, attrs)],
  evaluate: ([x], attrs) => {
    const [ch, cw] = divisors(x.shape, attrs);
    const out = nd(pooledShape(x.shape, attrs));
    forEachWindow(x, attrs, (flat, pixels) => {
      const [i, j] = [Math.floor(flat / cw.length) % ch.length, flat % cw.length];
      out.data[flat] = pixels.reduce((s, p) => s + x.data[p], 0) / (ch[i] * cw[j]);
    });
    return out;
  },
  check: [
    { x: [[2, 2, 4, 6]], attrs: { kernel_shape: [2, 3], strides: [2, 3] } },
    { x: [[2, 2, 5, 7]], attrs: { kernel_shape: [2, 2], strides: [2, 2] } },
    { x: [[1, 2, 5, 7]], attrs: { kernel_shape: [2, 2], strides: [2, 2], ceil_mode: 1 } },
    { x: [[1, 2, 5, 4]], attrs: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
    { x: [[1, 2, 5, 4]], attrs: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 } },
    { x: [[1, 2, 7, 6]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] } },
    { x: [[1, 2, 6, 6]], attrs: { kernel_shape: [3, 2], strides: [2, 1], pads: [0, 0, 1, 1], count_include_pad: 1 } },
    {
      x: [[1, 2, 6, 7]],
      attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1, count_include_pad: 1 },
    },
    { x: [[1, 2, 6, 7]], attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], ceil_mode: 1 } },
    { x: [[1, 1, 7, 8]], attrs: { kernel_shape: [2, 2], strides: [4, 3] } },
  ],
});

/** Each window's cotangent over the number of pixels it averages. */
function shareOut(dy: Tensor, x: TensorType, attrs: AveragePoolAttrs): Tensor {
  const [h, w] = divisors(x.shape, attrs);
  const shares = h.flatMap((a) => w.map((b) => 1 / (a * b)));
  return shares.every((v) => v === shares[0])
    ? dy.mul(shares[0])
    : dy.mul(constant(shares, [h.length, w.length], dy.dtype));
}

/** dX[pixel] = Σ of the shares of the windows that hold it. */
function sumOfWindows(shares: Tensor, x: Shape, attrs: PoolAttrs): Tensor {
  const window = windowOf(attrs.kernel_shape, attrs);
  const { kernel, strides, pads } = window;
  if (pads.every((p) => p === 0) && kernel.every((k, i) => k === strides[i])) return repeatOverTiles(shares, x, kernel);
  return strides.every((s) => s === 1) ? sumOfShares(shares, window) : scatterOverWindows(shares, x, window);
}

/** Windows that tile the image: every pixel takes its window's share, pixels past the last window nothing. */
function repeatOverTiles(shares: Tensor, x: Shape, [kh, kw]: readonly [number, number]): Tensor {
  const [n, c, h, w] = shares.shape;
  // Concat repeats along a short last axis in a sixth of the time of Expand.
  const row = concat(Array<Tensor>(kw).fill(shares.reshape([n, c, h, w, 1])), 4).reshape([n, c, h, 1, w * kw]);
  return cutOrPad(concat(Array<Tensor>(kh).fill(row), 3).reshape([n, c, h * kh, w * kw]), x);
}

/** Stride 1: the windows that hold a pixel are themselves a window, of shares: kH·kW times their average. */
const sumOfShares = (shares: Tensor, { kernel, pads }: Window): Tensor =>
  shares
    .avgPool({ kernel_shape: kernel, pads: pads.map((p, i) => kernel[i % 2] - 1 - p), count_include_pad: 1 })
    .mul(sizeOf(kernel));

/** Every share goes to all pixels of its window: the adjoint of a convolution with ones. */
function scatterOverWindows(shares: Tensor, x: Shape, { kernel, strides, pads }: Window): Tensor {
  const ones = fill(1, [x[1], 1, ...kernel], shares.dtype);
  // How far the last window reaches past the image, or (negative) how many pixels it leaves.
  const past = [0, 1].map((i) => strides[i] * (shares.shape[i + 2] - 1) + kernel[i] - pads[i] - x[i + 2]);
  return apply("ConvTranspose", [shares, ones], {
    strides,
    pads: [pads[0], pads[1], ...past.map((p) => Math.max(p, 0))],
    output_padding: past.map((p) => Math.max(-p, 0)),
    group: x[1],
  });
}

/** Rows and columns at the end cut off, or zeros added, to reach a size. */
function cutOrPad(t: Tensor, x: Shape): Tensor {
  const cut = [2, 3].reduce((u, axis) => u.slice(axis, 0, Math.min(u.shape[axis], x[axis])), t);
  return cut.pad(x.map((d, i) => [0, d - cut.shape[i]]));
}

/** y = x with y[indices[i]] += updates[i], for vectors. */
defineOp<{ axis: number; reduction: "add" }>("ScatterElements", {
  type: ([x, indices, updates]) => {
    if (x.shape.length !== 1 || indices.shape.length !== 1 || indices.shape[0] !== updates.shape[0])
      throw new TesseraeError("shape", "ScatterElements takes a vector, and as many indices as updates");
    return { dtype: x.dtype, shape: x.shape };
  },
  evaluate: ([x, indices, updates]) => {
    const out = nd(x.shape, x.data.slice());
    indices.data.forEach((at, i) => {
      out.data[at] += updates.data[i];
    });
    return out;
  },
  check: [
    {
      x: [[5], { shape: [3], data: Float64Array.of(4, 0, 4) }, [3]],
      attrs: { axis: 0, reduction: "add" },
      dtypes: ["float32", "int64", "float32"],
    },
  ],
});
