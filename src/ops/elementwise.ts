import { type CheckCase, defineOp, type Vjp } from "../graph/op.ts";
import { apply, constant, type Tensor, zerosLike } from "../graph/tensor.ts";
import { broadcastShapes, type DType } from "../graph/types.ts";
import { map, zip } from "./ndarray.ts";
import { erf } from "./special.ts";

interface Unary {
  f: (v: number) => number;
  /** dx = grad(x, y, dy). */
  grad?: (x: Tensor, y: Tensor, dy: Tensor) => Tensor;
  range?: readonly [number, number];
}

/** The nearest integer; of two, the even one. */
function roundToEven(v: number): number {
  const low = Math.floor(v);
  return v - low === 0.5 ? low + (low % 2 === 0 ? 0 : 1) : Math.round(v);
}

const none = (x: Tensor): Tensor => zerosLike(x);

const UNARY: Record<string, Unary> = {
  Neg: { f: (v) => -v, grad: (_x, _y, dy) => dy.neg() },
  Abs: { f: Math.abs, grad: (x, _y, dy) => dy.mul(x.sign()) },
  Sign: { f: Math.sign, grad: none },
  Floor: { f: Math.floor, grad: none, range: [0.1, 0.9] },
  Ceil: { f: Math.ceil, grad: none, range: [0.1, 0.9] },
  Round: { f: roundToEven, grad: none, range: [0.6, 1.4] },
  Exp: { f: Math.exp, grad: (_x, y, dy) => dy.mul(y) },
  Log: { f: Math.log, grad: (x, _y, dy) => dy.div(x), range: [0.2, 2] },
  Sqrt: { f: Math.sqrt, grad: (_x, y, dy) => dy.div(y.mul(2)), range: [0.2, 2] },
  Reciprocal: { f: (v) => 1 / v, grad: (_x, y, dy) => dy.mul(y).mul(y).neg(), range: [0.4, 2] },
  Sin: { f: Math.sin, grad: (x, _y, dy) => dy.mul(x.cos()) },
  Cos: { f: Math.cos, grad: (x, _y, dy) => dy.mul(x.sin()).neg() },
  Tanh: { f: Math.tanh, grad: (_x, y, dy) => dy.sub(dy.mul(y).mul(y)) },
  // d erf / dx = 2/√π · exp(-x²)
  Erf: {
    f: erf,
    grad: (x, _y, dy) =>
      dy.mul(
        x
          .mul(x)
          .neg()
          .exp()
          .mul(2 / Math.sqrt(Math.PI)),
      ),
  },
  Sigmoid: { f: (v) => 1 / (1 + Math.exp(-v)), grad: (_x, y, dy) => dy.mul(y.sub(y.mul(y))) },
  Softplus: { f: (v) => Math.log1p(Math.exp(v)), grad: (x, _y, dy) => dy.mul(x.sigmoid()) },
  Relu: { f: (v) => Math.max(v, 0), grad: (_x, y, dy) => y.greater(0).where(dy, 0) },
  // d/dx x·clip(x/6 + 1/2, 0, 1): 0 below -3, 1 above 3, x/3 + 1/2 between
  HardSwish: {
    f: (v) => v * Math.min(1, Math.max(0, v / 6 + 0.5)),
    grad: (x, _y, dy) => dy.mul(x.less(-3).where(0, x.greater(3).where(1, x.mul(1 / 3).add(0.5)))),
    range: [-5, 5],
  },
};

for (const [name, { f, grad, range }] of Object.entries(UNARY))
  defineOp(name, {
    type: ([x]) => x,
    vjp: grad && (({ x: [x], y: [y], dy }) => [grad(x, y, dy)]),
    evaluate: ([x]) => map(x, f),
    check: [
      { x: [[3, 4]], range },
      { x: [[2, 1, 3]], range },
    ],
  });

defineOp<{ alpha: number; beta: number }>("HardSigmoid", {
  type: ([x]) => x,
  vjp: ({ y: [y], dy, attrs }) => [y.greater(0).and(y.less(1)).where(dy.mul(attrs.alpha), 0)],
  evaluate: ([x], { alpha, beta }) => map(x, (v) => Math.min(1, Math.max(0, alpha * v + beta))),
  check: [{ x: [[3, 5]], range: [-5, 5], attrs: { alpha: 1 / 6, beta: 0.5 } }],
});

/** y = x · Φ(x) (Hendrycks and Gimpel 2016); of opset 20. */
defineOp("Gelu", {
  type: ([x]) => x,
  vjp: ({ x: [x], y: [y], dy }) => [apply("GeluGrad", [x, dy, y])],
  evaluate: ([x]) => map(x, gelu),
  // The form that the runtime's fusion knows; 1 + erf(x/√2) = 2Φ(x) is shared with the gradient.
  decompose: ([x]) => x.mul(x.div(Math.SQRT2).erf().add(1)).mul(0.5),
  check: [{ x: [[3, 4]], range: [-3, 3] }],
});

/** dx = dy · (Φ(x) + x · φ(x)) of x and dy. The third input is what GELU gave, from which the pass "fused-gelu" may take Φ. */
defineOp("GeluGrad", {
  type: ([x]) => x,
  // d/dx (Φ + x · φ) = φ · (2 - x²)
  vjp: ({ x: [x, u], dy }) => {
    const bell = x.mul(x).mul(-0.5).exp().mul(INV_SQRT_2PI);
    return [dy.mul(u).mul(bell.mul(x.mul(x).neg().add(2))), apply("GeluGrad", [x, dy])];
  },
  evaluate: ([x, u]) => zip((v, d) => d * (cdf(v) + v * INV_SQRT_2PI * Math.exp(-v * v * 0.5)))([x, u]),
  // With v = x/√2: dy · (2Φ + v · exp(ln(2/√π) - v²)) / 2
  decompose: ([x, dy]) => {
    const v = x.div(Math.SQRT2);
    const bell = constant(Math.log(2 / Math.sqrt(Math.PI)), [], x.dtype)
      .sub(v.mul(v))
      .exp();
    return dy.mul(v.erf().add(1).add(v.mul(bell))).mul(0.5);
  },
  check: [
    {
      x: [
        [3, 4],
        [3, 4],
      ],
      range: [-3, 3],
    },
  ],
});

/** onnxruntime's own operator for GELU, in one go. Never exported: the pass "fused-gelu" writes it. */
defineOp("FusedGelu", {
  domain: "com.microsoft",
  onnxName: "Gelu",
  type: ([x]) => x,
  evaluate: ([x]) => map(x, gelu),
  check: [],
});

const INV_SQRT_2PI = 1 / Math.sqrt(2 * Math.PI);
const cdf = (v: number): number => 0.5 * (1 + erf(v * Math.SQRT1_2));
const gelu = (v: number): number => v * cdf(v);

/** y = x · σ(x) (Elfwing et al. 2018); ONNX's Swish, of opset 24. */
defineOp("Silu", {
  type: ([x]) => x,
  // dx = dy · (σ + x · (σ - σ²)): the factor needs no dy, so the forward pass leaves it instead of x and σ.
  vjp: ({ x: [x], dy }) => {
    const s = x.sigmoid();
    return [dy.mul(s.add(x.mul(s.sub(s.mul(s)))))];
  },
  evaluate: ([x]) => map(x, (v) => v * (1 / (1 + Math.exp(-v)))), // as it is decomposed
  decompose: ([x]) => x.mul(x.sigmoid()),
  check: [{ x: [[3, 4]], range: [-3, 3] }],
});

interface Binary {
  f: (a: number, b: number) => number;
  /** Cotangents before the sum over broadcast axes. */
  grad?: (c: Vjp<object>) => readonly [Tensor, Tensor];
  range?: readonly [number, number];
  /** On int32, where products and sums wrap. */
  int32?: (a: number, b: number) => number;
  out?: DType;
  dtype?: DType;
}

const BINARY: Record<string, Binary> = {
  Add: { f: (a, b) => a + b, int32: (a, b) => (a + b) | 0, grad: ({ dy }) => [dy, dy] },
  Sub: { f: (a, b) => a - b, grad: ({ x: [, b], dy }) => [dy, dy.sumTo(b.shape).neg()] },
  Mul: { f: (a, b) => a * b, int32: Math.imul, grad: ({ x: [a, b], dy }) => [dy.mul(b), dy.mul(a)] },
  // y = a/b: da = dy/b, db = -y·dy/b
  Div: {
    f: (a, b) => a / b,
    grad: ({ x: [, b], y: [y], dy }) => [dy.div(b), y.mul(dy.div(b)).neg()],
    range: [0.4, 2],
  },
  // y = a^b: da = dy·b·a^(b-1), db = dy·y·ln a
  Pow: {
    f: (a, b) => a ** b,
    grad: ({ x: [a, b], y: [y], dy }) => [dy.mul(b).mul(a.pow(b.sub(1))), dy.mul(y).mul(a.log())],
    range: [0.4, 2],
  },
  // The winner takes the cotangent; ties go to the first.
  Max: { f: Math.max, grad: ({ x: [a, b], dy }) => [a.less(b).where(0, dy), a.less(b).where(dy, 0)] },
  Min: { f: Math.min, grad: ({ x: [a, b], dy }) => [a.greater(b).where(0, dy), a.greater(b).where(dy, 0)] },
  Mod: { f: (a, b) => a - b * Math.floor(a / b), dtype: "int32", range: [1, 9] },
  Equal: { f: (a, b) => Number(a === b), out: "bool" },
  Greater: { f: (a, b) => Number(a > b), out: "bool" },
  GreaterOrEqual: { f: (a, b) => Number(a >= b), out: "bool" },
  Less: { f: (a, b) => Number(a < b), out: "bool" },
  LessOrEqual: { f: (a, b) => Number(a <= b), out: "bool" },
  And: { f: (a, b) => Number(a && b), out: "bool", dtype: "bool", range: [0, 1] },
  Or: { f: (a, b) => Number(a || b), out: "bool", dtype: "bool", range: [0, 1] },
  BitwiseXor: { f: (a, b) => (a ^ b) >>> 0, dtype: "uint32", range: [0, 2 ** 32] },
};

const PAIRS: readonly (readonly number[])[][] = [
  [
    [3, 4],
    [3, 4],
  ],
  [[2, 3, 4], [4]],
  [
    [2, 1, 3],
    [4, 1],
  ],
  [[3], []],
];

for (const [name, { f, int32, grad, range, out, dtype }] of Object.entries(BINARY))
  defineOp(name, {
    type: ([a, b]) => ({ dtype: out ?? a.dtype, shape: broadcastShapes(a.shape, b.shape) }),
    vjp: grad && ((c) => grad(c).map((d, i) => d.sumTo(c.x[i].shape))),
    evaluate: (x, _attrs, [{ dtype }]) => zip(dtype === "int32" ? (int32 ?? f) : f)(x),
    check: [
      ...PAIRS.map((x): CheckCase<object> => ({ x, range, dtypes: dtype && [dtype, dtype] })),
      ...(int32 ? [{ x: [[3, 4], [4]], range: [-(2 ** 31), 2 ** 31], dtypes: ["int32", "int32"] } as const] : []),
    ],
  });

defineOp<{ direction: "LEFT" | "RIGHT" }>("BitShift", {
  type: ([a, b]) => ({ dtype: a.dtype, shape: broadcastShapes(a.shape, b.shape) }),
  evaluate: (x, { direction }) => zip((a, b) => (direction === "RIGHT" ? a >>> b : (a << b) >>> 0))(x),
  check: [
    {
      x: [[3, 4], { shape: [], data: Float64Array.of(13) }],
      attrs: { direction: "RIGHT" },
      range: [0, 2 ** 32],
      dtypes: ["uint32", "uint32"],
    },
  ],
});

defineOp("Not", {
  type: ([x]) => x,
  evaluate: ([x]) => map(x, (v) => Number(!v)),
  check: [{ x: [[3, 4]], range: [0, 2], dtypes: ["bool"] }],
});

for (const [name, f] of [
  ["IsNaN", Number.isNaN],
  ["IsInf", (v: number) => Math.abs(v) === Infinity],
] as const)
  defineOp(name, {
    type: ([x]) => ({ dtype: "bool", shape: x.shape }),
    evaluate: ([x]) => map(x, (v) => Number(f(v))),
    check: [{ x: [{ shape: [4], data: Float64Array.of(1, Number.NaN, Infinity, -Infinity) }] }],
  });

defineOp("Where", {
  type: ([c, a, b]) => ({ dtype: a.dtype, shape: broadcastShapes(c.shape, a.shape, b.shape) }),
  vjp: ({ x: [c, a, b], dy }) => [undefined, c.where(dy, 0).sumTo(a.shape), c.where(0, dy).sumTo(b.shape)],
  evaluate: ([c, a, b]) => {
    const taken = zip((p, v) => (p ? v : 0))([c, a]);
    const other = zip((p, v) => (p ? 0 : v))([c, b]);
    return zip((p, q) => p + q)([taken, other]);
  },
  check: [
    { x: [[3, 4], [3, 4], [4]], dtypes: ["bool", "float32", "float32"] },
    { x: [[3, 1], [], [2, 1, 4]], dtypes: ["bool", "float32", "float32"] },
  ],
});

defineOp<{ to: DType }>("Cast", {
  type: ([x], { to }) => ({ dtype: to, shape: x.shape }),
  vjp: ({ x: [x], dy }) => [apply("Cast", [dy], { to: x.dtype })],
  evaluate: ([x], { to }, [type]) => map(x, castTo(to, type.dtype)),
  check: [
    { x: [[3, 4]], attrs: { to: "float32" } },
    { x: [[3, 4]], attrs: { to: "int32" }, range: [-9, 9] },
    { x: [[3, 4]], attrs: { to: "int32" }, range: [0, 2 ** 32], dtypes: ["uint32"] },
    { x: [[3, 4]], attrs: { to: "uint32" }, range: [-(2 ** 31), 2 ** 31], dtypes: ["int32"] },
  ],
});

/** Truncation towards zero; integers of 32 bits wrap, as the runtime's casts do. */
function castTo(to: DType, from: DType): (v: number) => number {
  if (to === "bool") return (v) => Number(v !== 0);
  if (to.startsWith("float")) return (v) => v;
  if (from === "int32" || from === "uint32") {
    if (to === "int32") return (v) => v | 0;
    if (to === "uint32") return (v) => v >>> 0;
  }
  return Math.trunc;
}
