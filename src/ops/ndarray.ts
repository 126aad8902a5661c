import { broadcastShapes, type NdArray, type Shape, sizeOf, stridesOf } from "../graph/types.ts";

/** Plain host arrays, for evaluation in doubles. Clear before fast. */
export const nd = (shape: Shape, data: Float64Array = new Float64Array(sizeOf(shape))): NdArray => ({ shape, data });

export const map = (x: NdArray, f: (v: number) => number): NdArray => nd(x.shape, x.data.map(f));

/** Calls f(flat, index) for every element of a shape in row-major order. */
export function forEachIndex(shape: Shape, f: (flat: number, index: readonly number[]) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  const total = sizeOf(shape);
  for (let flat = 0; flat < total; flat++) {
    f(flat, index);
    for (let a = shape.length - 1; a >= 0; a--) {
      if (++index[a] < shape[a]) break;
      index[a] = 0;
    }
  }
}

/** Gathers an output of the given shape: out[index] = x[offset(index)]. */
export function gatherBy(x: NdArray, shape: Shape, offset: (index: readonly number[]) => number): NdArray {
  const out = nd(shape);
  forEachIndex(shape, (flat, index) => {
    out.data[flat] = x.data[offset(index)];
  });
  return out;
}

/** Strides of x seen as broadcast to `shape`: zero where an axis is repeated. */
export function broadcastStrides(from: Shape, to: Shape): number[] {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return to.map((_, i) => (i < lead || from[i - lead] === 1 ? 0 : strides[i - lead]));
}

export const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i], 0);

export function broadcastTo(x: NdArray, shape: Shape): NdArray {
  const strides = broadcastStrides(x.shape, shape);
  return gatherBy(x, shape, (index) => dot(index, strides));
}

export function zip(f: (a: number, b: number) => number): (x: readonly NdArray[]) => NdArray {
  return ([a, b]) => {
    const shape = broadcastShapes(a.shape, b.shape);
    const [x, y] = [broadcastTo(a, shape), broadcastTo(b, shape)];
    return nd(
      shape,
      x.data.map((v, i) => f(v, y.data[i])),
    );
  };
}

/** Folds the listed axes (kept as size 1). */
export function reduce(
  x: NdArray,
  axes: readonly number[],
  init: number,
  f: (a: number, v: number) => number,
): NdArray {
  const out = nd(x.shape.map((d, i) => (axes.includes(i) ? 1 : d)));
  out.data.fill(init);
  const strides = broadcastStrides(out.shape, x.shape);
  forEachIndex(x.shape, (flat, index) => {
    const o = dot(index, strides);
    out.data[o] = f(out.data[o], x.data[flat]);
  });
  return out;
}

export function transpose(x: NdArray, perm: readonly number[]): NdArray {
  const strides = stridesOf(x.shape);
  return gatherBy(
    x,
    perm.map((p) => x.shape[p]),
    (index) => index.reduce((s, v, i) => s + v * strides[perm[i]], 0),
  );
}

/** c = a · b for one pair of row-major matrices, written into out at offset. */
export function matmulInto(
  a: Float64Array,
  aAt: number,
  b: Float64Array,
  bAt: number,
  out: Float64Array,
  at: number,
  m: number,
  k: number,
  n: number,
): void {
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) {
      const v = a[aAt + i * k + p];
      for (let j = 0; j < n; j++) out[at + i * n + j] += v * b[bAt + p * n + j];
    }
}
