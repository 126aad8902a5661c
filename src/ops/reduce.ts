import { defineOp } from "../graph/op.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Shape, sizeOf } from "../graph/types.ts";
import { nd, reduce } from "./ndarray.ts";

interface ReduceAttrs {
  axes: readonly number[];
  keepdims: 0 | 1;
}

const keep = (shape: Shape, axes: readonly number[]): Shape => shape.map((d, i) => (axes.includes(i) ? 1 : d));
const reduced = (shape: Shape, { axes, keepdims }: ReduceAttrs): Shape =>
  keepdims ? keep(shape, axes) : shape.filter((_, i) => !axes.includes(i));
const count = (shape: Shape, axes: readonly number[]): number => sizeOf(axes.map((a) => shape[a]));

interface Reduction {
  init: number;
  f: (a: number, v: number) => number;
  /** Division by the number of elements reduced. */
  mean?: boolean;
  /** dx from x, and y and dy in x's rank. */
  grad: (x: Tensor, y: Tensor, dy: Tensor, n: number) => Tensor;
  range?: readonly [number, number];
}

const REDUCTIONS: Record<string, Reduction> = {
  ReduceSum: { init: 0, f: (a, v) => a + v, grad: (x, _y, dy) => dy.expand(x.shape) },
  ReduceMean: { init: 0, f: (a, v) => a + v, mean: true, grad: (x, _y, dy, n) => dy.mul(1 / n).expand(x.shape) },
  ReduceSumSquare: { init: 0, f: (a, v) => a + v * v, grad: (x, _y, dy) => dy.mul(2).mul(x) },
  // dx = dy · y / x: what is multiplied must not be zero.
  ReduceProd: { init: 1, f: (a, v) => a * v, grad: (x, y, dy) => dy.mul(y).div(x), range: [0.4, 2] },
  // Every position that attains the maximum takes the cotangent in equal parts, as PyTorch's amax.
  ReduceMax: {
    init: -Infinity,
    f: Math.max,
    grad: (x, y, dy) => {
      const hit = x.equal(y).cast(x.dtype);
      const axes = [...x.shape.keys()].filter((i) => y.shape[i] !== x.shape[i]);
      return hit.mul(dy.div(hit.sum(axes, true)));
    },
  },
};

for (const [name, { init, f, mean, grad, range }] of Object.entries(REDUCTIONS))
  defineOp<ReduceAttrs>(name, {
    type: ([x], attrs) => ({ dtype: x.dtype, shape: reduced(x.shape, attrs) }),
    vjp: ({ x: [x], y: [y], dy, attrs: { axes } }) => {
      const shape = keep(x.shape, axes);
      return [grad(x, y.reshape(shape), dy.reshape(shape), count(x.shape, axes))];
    },
    evaluate: ([x], attrs) => {
      const { data } = reduce(x, attrs.axes, init, f);
      const n = mean ? count(x.shape, attrs.axes) : 1;
      return nd(
        reduced(x.shape, attrs),
        data.map((v) => v / n),
      );
    },
    inputAttrs: ["axes"],
    check: [
      { x: [[3, 4]], attrs: { axes: [1], keepdims: 0 }, range },
      { x: [[2, 3, 4]], attrs: { axes: [0, 2], keepdims: 1 }, range },
      { x: [[2, 3]], attrs: { axes: [0, 1], keepdims: 0 }, range },
    ],
  });

/** Index of the first maximum along an axis. */
defineOp<{ axis: number; keepdims: 0 | 1 }>("ArgMax", {
  type: ([x], { axis, keepdims }) => ({ dtype: "int64", shape: reduced(x.shape, { axes: [axis], keepdims }) }),
  evaluate: ([x], { axis, keepdims }) => {
    const inner = sizeOf(x.shape.slice(axis + 1));
    const out = nd(reduced(x.shape, { axes: [axis], keepdims }));
    for (let o = 0; o < out.data.length; o++) {
      const base = Math.floor(o / inner) * inner * x.shape[axis] + (o % inner);
      let best = 0;
      for (let i = 1; i < x.shape[axis]; i++) if (x.data[base + i * inner] > x.data[base + best * inner]) best = i;
      out.data[o] = best;
    }
    return out;
  },
  check: [
    { x: [[3, 4]], attrs: { axis: 1, keepdims: 0 } },
    { x: [[3, 4, 2]], attrs: { axis: 1, keepdims: 1 } },
  ],
});
