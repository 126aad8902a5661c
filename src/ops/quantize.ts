import { TesseraeError } from "../errors.ts";
import { defineOp } from "../graph/op.ts";
import { showShape, type TensorType } from "../graph/types.ts";
import { nd } from "./ndarray.ts";

// Linear quantization: x ≈ scale · (q - zero). None of these has a gradient: they are of exports only.

/** To the nearest, halves to even, as the runtime rounds. */
const round = (v: number): number => {
  const r = Math.round(v);
  return r - v === 0.5 && r % 2 !== 0 ? r - 1 : r;
};

const LIMITS: Readonly<Record<string, readonly [number, number]>> = {
  uint8: [0, 255],
  int8: [-128, 127],
  int32: [-(2 ** 31), 2 ** 31 - 1],
};

const clamp = (v: number, [low, high]: readonly [number, number]): number => Math.min(high, Math.max(low, v));

interface AxisAttrs {
  /** Of the scales, where they are a vector. */
  axis?: number;
}

/** The scale, or zero point, of each element: one for all, or one along `axis`. */
function along(shape: readonly number[], values: Float64Array, axis = 1): (i: number) => number {
  if (values.length === 1) return () => values[0];
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  return (i) => values[Math.floor(i / inner) % values.length];
}

function checkScale(x: TensorType, scale: TensorType, axis = 1): void {
  const fits = scale.shape.length === 0 || (scale.shape.length === 1 && scale.shape[0] === x.shape[axis]);
  if (!fits)
    throw new TesseraeError("shape", `scales ${showShape(scale.shape)} for axis ${axis} of ${showShape(x.shape)}`);
}

/** q = clamp(round(x / scale) + zero). */
defineOp<AxisAttrs>("QuantizeLinear", {
  type: ([x, scale, zero], { axis }) => {
    checkScale(x, scale, axis);
    return { dtype: zero.dtype, shape: x.shape };
  },
  evaluate: ([x, scale, zero], { axis }, types) => {
    const [s, z] = [along(x.shape, scale.data, axis), along(x.shape, zero.data, axis)];
    const limits = LIMITS[types[2].dtype];
    return nd(
      x.shape,
      x.data.map((v, i) => clamp(round(Math.fround(v / s(i))) + z(i), limits)),
    );
  },
  check: [
    {
      x: [[4, 5], nd([], Float64Array.of(0.0078125)), nd([], Float64Array.of(128))],
      dtypes: ["float32", "float32", "uint8"],
    },
    {
      x: [[2, 3], nd([3], Float64Array.of(0.5, 0.25, 0.125)), nd([3], Float64Array.of(0, -3, 7))],
      attrs: { axis: 1 },
      range: [-40, 40],
      dtypes: ["float32", "float32", "int8"],
    },
  ],
});

/** x = scale · (q - zero). */
defineOp<AxisAttrs>("DequantizeLinear", {
  type: ([q, scale], { axis }) => {
    checkScale(q, scale, axis);
    return { dtype: "float32", shape: q.shape };
  },
  evaluate: ([q, scale, zero], { axis }) => {
    const [s, z] = [along(q.shape, scale.data, axis), along(q.shape, zero?.data ?? Float64Array.of(0), axis)];
    return nd(
      q.shape,
      q.data.map((v, i) => (v - z(i)) * s(i)),
    );
  },
  check: [
    {
      x: [[4, 5], nd([], Float64Array.of(0.0078125)), nd([], Float64Array.of(128))],
      range: [0, 256],
      dtypes: ["uint8", "float32", "uint8"],
    },
    {
      x: [[3, 2], nd([3], Float64Array.of(0.5, 0.25, 0.125)), nd([3], Float64Array.of(0, 0, 0))],
      attrs: { axis: 0 },
      range: [-128, 128],
      dtypes: ["int8", "float32", "int8"],
    },
  ],
});

/** Bytes with one scale and zero point for all, from the range of x with 0 in it: q, scale, zero. */
defineOp("DynamicQuantizeLinear", {
  type: ([x]) => [
    { dtype: "uint8", shape: x.shape },
    { dtype: "float32", shape: [] },
    { dtype: "uint8", shape: [] },
  ],
  evaluate: ([x]) => {
    const low = x.data.reduce((a, v) => Math.min(a, v), 0);
    const high = x.data.reduce((a, v) => Math.max(a, v), 0);
    const scale = Math.fround((high - low) / 255);
    const zero = clamp(round(Math.fround(-low / scale)), LIMITS.uint8);
    const q = x.data.map((v) => clamp(round(Math.fround(v / scale)) + zero, LIMITS.uint8));
    return [nd(x.shape, q), nd([], Float64Array.of(scale)), nd([], Float64Array.of(zero))];
  },
  check: [{ x: [[4, 6]] }, { x: [[5]], range: [2, 3] }],
});

/** (a - a's zero) · (b - b's zero), in integers of 32 bits. */
defineOp("MatMulInteger", {
  type: ([a, b]) => {
    if (b.shape.length !== 2 || a.shape.at(-1) !== b.shape[0])
      throw new TesseraeError("shape", `MatMulInteger of ${showShape(a.shape)} and ${showShape(b.shape)}`);
    return { dtype: "int32", shape: [...a.shape.slice(0, -1), b.shape[1]] };
  },
  evaluate: ([a, b, zeroA, zeroB]) => {
    const [za, zb] = [zeroA?.data[0] ?? 0, zeroB?.data[0] ?? 0];
    const [K, N] = b.shape;
    const rows = a.data.length / K;
    const out = nd([...a.shape.slice(0, -1), N]);
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < N; j++)
        for (let k = 0; k < K; k++) out.data[i * N + j] += (a.data[i * K + k] - za) * (b.data[k * N + j] - zb);
    return out;
  },
  macs: ([, b], _attrs, [y]) => y.shape.reduce((x, d) => x * d, 1) * b.shape[0],
  check: [
    {
      x: [[3, 4], [4, 2], nd([], Float64Array.of(100))],
      range: [0, 100],
      dtypes: ["uint8", "int8", "uint8"],
    },
  ],
});
