import { TesseraeError } from "../errors.ts";
import { constantValue } from "../graph/evaluate.ts";
import { defineOp } from "../graph/op.ts";
import { apply, concat, constant, fill, type Tensor, zerosLike } from "../graph/tensor.ts";
import {
  broadcastShapes,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  stridesOf,
  type TensorType,
} from "../graph/types.ts";
import { reorderedLast } from "./blocked.ts";
import { broadcastTo, dot, forEachIndex, gatherBy, nd, transpose } from "./ndarray.ts";

/** Same elements, another shape. */
defineOp<{ shape: Shape }>("Reshape", {
  type: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x.shape) || shape.some((d) => !Number.isInteger(d)))
      throw new TesseraeError("shape", `cannot reshape ${showShape(x.shape)} to ${showShape(shape)}`);
    return { dtype: x.dtype, shape };
  },
  vjp: ({ x: [x], dy }) => [dy.reshape(x.shape)],
  evaluate: ([x], { shape }) => nd(shape, x.data),
  inputAttrs: ["shape"],
  check: [{ x: [[2, 6]], attrs: { shape: [3, 4] } }],
});

/** y[i] = x[i permuted]. */
defineOp<{ perm: readonly number[] }>("Transpose", {
  type: ([x], { perm }) => {
    if (perm.length !== x.shape.length || [...perm].sort((a, b) => a - b).some((p, i) => p !== i))
      throw new TesseraeError("shape", `[${perm}] does not permute ${showShape(x.shape)}`);
    return { dtype: x.dtype, shape: perm.map((p) => x.shape[p]) };
  },
  vjp: ({ dy, attrs: { perm } }) => [dy.transpose(perm.map((_, i) => perm.indexOf(i)))],
  evaluate: ([x], { perm }) => transpose(x, perm),
  blocked: ([x], { perm }) => reorderedLast(x, perm),
  check: [{ x: [[2, 3, 4]], attrs: { perm: [2, 0, 1] } }],
});

/** Broadcast to a shape. */
defineOp<{ shape: Shape }>("Expand", {
  type: ([x], { shape }) => {
    if (!sameShape(broadcastShapes(x.shape, shape), shape))
      throw new TesseraeError("shape", `cannot expand ${showShape(x.shape)} to ${showShape(shape)}`);
    return { dtype: x.dtype, shape };
  },
  vjp: ({ x: [x], dy }) => [dy.sumTo(x.shape)],
  evaluate: ([x], { shape }) => broadcastTo(x, shape),
  inputAttrs: ["shape"],
  check: [{ x: [[3, 1]], attrs: { shape: [2, 3, 4] } }],
});

defineOp<{ axis: number }>("Concat", {
  type: (x, { axis }) => {
    const [{ dtype, shape }] = x;
    for (const t of x)
      if (t.shape.length !== shape.length || t.shape.some((d, i) => i !== axis && d !== shape[i]))
        throw new TesseraeError(
          "shape",
          `cannot concatenate ${x.map((v) => showShape(v.shape)).join(", ")} along ${axis}`,
        );
    return { dtype, shape: shape.map((d, i) => (i === axis ? x.reduce((s, t) => s + t.shape[axis], 0) : d)) };
  },
  vjp: ({ x, dy, attrs: { axis } }) => [
    ...dy.split(
      x.map((t) => t.shape[axis]),
      axis,
    ),
  ],
  evaluate: (x, { axis }) => {
    const out = nd(x[0].shape.map((d, i) => (i === axis ? x.reduce((s, t) => s + t.shape[axis], 0) : d)));
    const strides = stridesOf(out.shape);
    let at = 0;
    for (const part of x) {
      const start = at * strides[axis];
      forEachIndex(part.shape, (flat, index) => {
        out.data[start + dot(index, strides)] = part.data[flat];
      });
      at += part.shape[axis];
    }
    return out;
  },
  check: [
    {
      x: [
        [2, 3],
        [2, 1],
        [2, 2],
      ],
      attrs: { axis: 1 },
    },
  ],
});

defineOp<{ axis: number; split: readonly number[] }>("Split", {
  type: ([x], { axis, split }) => {
    if (split.reduce((a, b) => a + b, 0) !== x.shape[axis] || split.some((s) => !Number.isInteger(s)))
      throw new TesseraeError("shape", `cannot split axis ${axis} of ${showShape(x.shape)} into [${split}]`);
    return split.map((size) => ({ dtype: x.dtype, shape: x.shape.map((d, i) => (i === axis ? size : d)) }));
  },
  vjp: ({ y, dys, attrs: { axis } }) => [
    concat(
      y.map((t, i) => dys[i] ?? zerosLike(t)),
      axis,
    ),
  ],
  evaluate: ([x], { axis, split }) => {
    const strides = stridesOf(x.shape);
    let at = 0;
    return split.map((size) => {
      const start = at * strides[axis];
      at += size;
      return gatherBy(
        x,
        x.shape.map((d, i) => (i === axis ? size : d)),
        (index) => start + dot(index, strides),
      );
    });
  },
  inputAttrs: ["split"],
  check: [{ x: [[2, 6]], attrs: { axis: 1, split: [1, 2, 3] } }],
});

interface SliceAttrs {
  starts: readonly number[];
  ends: readonly number[];
  axes: readonly number[];
  steps: readonly number[];
}

/** First index and length of each axis after slicing. */
function sliceBounds(
  shape: Shape,
  { starts, ends, axes, steps }: SliceAttrs,
): { first: number[]; step: number[]; size: number[] } {
  const first = shape.map(() => 0);
  const step = shape.map(() => 1);
  const size = [...shape];
  axes.forEach((axis, i) => {
    const d = shape[axis];
    const s = steps[i];
    const [low, high] = s > 0 ? [0, d] : [-1, d - 1];
    const clamp = (v: number): number => Math.min(Math.max(v < 0 ? v + d : v, low), high);
    const from = clamp(starts[i]);
    first[axis] = from;
    step[axis] = s;
    size[axis] = Math.max(0, Math.ceil((clamp(ends[i]) - from) / s));
  });
  return { first, step, size };
}

/** y = x[start:end:step] along the listed axes. An end of -2^31 or less means "past the first element". */
defineOp<SliceAttrs>("Slice", {
  type: ([x], attrs) => ({ dtype: x.dtype, shape: sliceBounds(x.shape, attrs).size }),
  vjp: ({ x: [x], dy, attrs }) => [unslice(dy, x, attrs)],
  evaluate: ([x], attrs) => {
    const { first, step, size } = sliceBounds(x.shape, attrs);
    const strides = stridesOf(x.shape);
    const start = dot(first, strides);
    const walk = strides.map((s, i) => s * step[i]);
    return gatherBy(x, size, (index) => start + dot(index, walk));
  },
  inputAttrs: ["starts", "ends", "axes", "steps"],
  check: [
    { x: [[4, 5]], attrs: { starts: [1], ends: [4], axes: [1], steps: [1] } },
    { x: [[5, 6]], attrs: { starts: [1, 0], ends: [5, 6], axes: [0, 1], steps: [2, 3] } },
    { x: [[5]], attrs: { starts: [4], ends: [-(2 ** 40)], axes: [0], steps: [-1] } },
  ],
});

/** Puts a cotangent back in place: zeros between for steps over one, then zeros around. */
function unslice(dy: Tensor, x: TensorType, attrs: SliceAttrs): Tensor {
  const { first, step } = sliceBounds(x.shape, attrs);
  let d = dy;
  for (const axis of attrs.axes) {
    const s = Math.abs(step[axis]);
    if (step[axis] < 0) d = d.slice(axis, d.shape[axis] - 1, -(2 ** 40), -1);
    if (s > 1) d = spread(d, axis, s);
    const low = step[axis] < 0 ? first[axis] - (d.shape[axis] - 1) : first[axis];
    d = d.pad(d.shape.map((n, i) => (i === axis ? [low, x.shape[axis] - low - n] : [0, 0])));
  }
  return d;
}

/** n entries to (n - 1)·s + 1, with s - 1 zeros between neighbours. */
export function spread(x: Tensor, axis: number, s: number): Tensor {
  if (s === 1) return x;
  const n = x.shape[axis];
  const apart = x.unsqueeze(axis + 1);
  const padded = apart.pad(apart.shape.map((_, i) => (i === axis + 1 ? [0, s - 1] : [0, 0])));
  return padded.reshape(x.shape.map((d, i) => (i === axis ? n * s : d))).slice(axis, 0, (n - 1) * s + 1);
}

/** Constant padding; pads = [before..., after...]. */
defineOp<{ pads: readonly number[]; value?: number }>("Pad", {
  type: ([x], { pads }) => {
    const rank = x.shape.length;
    if (pads.length !== 2 * rank || pads.some((p) => p < 0))
      throw new TesseraeError("shape", `pads [${pads}] do not fit ${showShape(x.shape)}`);
    return {
      dtype: x.dtype,
      shape: x.shape.map((d, i) => (pads[i] + pads[i + rank] === 0 ? d : d + pads[i] + pads[i + rank])),
    };
  },
  vjp: ({ x: [x], dy, attrs: { pads } }) => {
    const axes = [...x.shape.keys()].filter((i) => pads[i] + pads[i + x.rank] > 0);
    const starts = axes.map((a) => pads[a]);
    const ends = axes.map((a) => pads[a] + x.shape[a]);
    return [apply("Slice", [dy], { starts, ends, axes, steps: axes.map(() => 1) })];
  },
  evaluate: ([x], { pads, value = 0 }) => {
    const rank = x.shape.length;
    const out = nd(x.shape.map((d, i) => d + pads[i] + pads[i + rank]));
    out.data.fill(value);
    const strides = stridesOf(out.shape);
    const start = dot(pads.slice(0, rank), strides);
    forEachIndex(x.shape, (flat, index) => {
      out.data[start + dot(index, strides)] = x.data[flat];
    });
    return out;
  },
  inputAttrs: ["pads"],
  check: [
    { x: [[2, 3]], attrs: { pads: [1, 0, 0, 2] } },
    { x: [[2, 3]], attrs: { pads: [0, 1, 1, 0], value: 0.5 } },
  ],
});

/** For each entry along the axis, the places that read it. */
function readersOf(indices: Tensor, size: number): number[][] {
  const readers = Array.from({ length: size }, (): number[] => []);
  constantValue(indices.node).data.forEach((i, at) => {
    readers[i < 0 ? i + size : i].push(at);
  });
  return readers;
}

/**
 * dX of Gather where the indices are known: each entry gathers what reached its readers, and adds; entries with fewer
 * readers than the most gather zeros beside. (ScatterND with reduction = add is no way: onnxruntime's threads add
 * to one row at the same time and lose terms.)
 */
function sumOfReaders(dy: Tensor, readers: readonly (readonly number[])[], axis: number): Tensor {
  const most = Math.max(...readers.map((r) => r.length));
  const nowhere = dy.shape[axis]; // a row of zeros behind
  const places = readers.flatMap((r) => [...r, ...Array<number>(most - r.length).fill(nowhere)]);
  const padded = places.includes(nowhere) ? dy.pad(dy.shape.map((_, i) => [0, Number(i === axis)])) : dy;
  return padded.gather(constant(places, [readers.length, most], "int64"), axis).sum([axis + 1]);
}

/** dX of Gather for indices known only as the program runs: one addition a value, in order. */
function scatterSum(dy: Tensor, indices: Tensor, x: Tensor, axis: number): Tensor {
  const [outer, size, inner] = [sizeOf(x.shape.slice(0, axis)), x.shape[axis], sizeOf(x.shape.slice(axis + 1))];
  const row = indices.reshape([1, indices.size, 1]);
  const rows = row.less(0).where(row.add(size), row).mul(inner);
  const starts = arange(outer)
    .mul(size * inner)
    .reshape([outer, 1, 1]);
  const at = starts.add(rows).add(arange(inner).reshape([1, 1, inner]));
  const dx = apply("ScatterElements", [fill(0, [x.size], x.dtype), at.reshape([dy.size]), dy.reshape([dy.size])], {
    axis: 0,
    reduction: "add",
  });
  return dx.reshape(x.shape);
}

/** y = x[..., indices, ...] along one axis. */
defineOp<{ axis: number }>("Gather", {
  type: ([x, i], { axis }) => ({
    dtype: x.dtype,
    shape: [...x.shape.slice(0, axis), ...i.shape, ...x.shape.slice(axis + 1)],
  }),
  vjp: ({ x: [x, indices], dy, attrs: { axis } }) => {
    const flat = dy.reshape([...x.shape.slice(0, axis), indices.size, ...x.shape.slice(axis + 1)]);
    const readers = indices.node.op === "Constant" ? readersOf(indices, x.shape[axis]) : undefined;
    const padded = readers && readers.length * Math.max(...readers.map((r) => r.length));
    const even = padded !== undefined && padded <= 8 * indices.size + 64;
    return [even ? sumOfReaders(flat, readers as number[][], axis) : scatterSum(flat, indices, x, axis)];
  },
  evaluate: ([x, indices], { axis }) => {
    const inner = sizeOf(x.shape.slice(axis + 1));
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const places = indices.data.length;
    const out = nd(shape);
    for (let f = 0; f < out.data.length; f++) {
      const outer = Math.floor(f / (inner * places));
      const i = indices.data[Math.floor(f / inner) % places];
      out.data[f] = x.data[(outer * x.shape[axis] + (i < 0 ? i + x.shape[axis] : i)) * inner + (f % inner)];
    }
    return out;
  },
  check: [
    {
      x: [[4, 3], { shape: [2, 2], data: Float64Array.of(3, 0, 0, 1) }],
      attrs: { axis: 0 },
      dtypes: ["float32", "int64"],
    },
    {
      x: [[2, 4, 3], { shape: [3], data: Float64Array.of(3, 0, 0) }],
      attrs: { axis: 1 },
      dtypes: ["float32", "int64"],
    },
  ],
});

/** Integers 0..n-1 as a constant. */
export const arange = (n: number): Tensor => constant([...Array(n).keys()], [n], "int64");
