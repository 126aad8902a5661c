import { TesseraeError } from "../errors.ts";
import { type Attrs, opDef } from "./op.ts";
import {
  type DType,
  isFloat,
  type NdArray,
  normalizeAxis,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  type TensorData,
  type TensorType,
} from "./types.ts";

/** One operator applied. Immutable; ids grow with creation, so they order a graph topologically. */
export interface Node {
  readonly id: number;
  readonly op: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly attrs: Attrs;
  readonly outputs: readonly Tensor[];
  /** Path of the module that made it, such as "blocks.0.attn". */
  readonly scope: string;
}

export type Operand = Tensor | number;

let nextId = 0;
let scope = "";

/** Runs f with every node it makes attributed to a module path. */
export function withScope<T>(path: string, f: () => T): T {
  const outer = scope;
  scope = path;
  try {
    return f();
  } finally {
    scope = outer;
  }
}

export const currentScope = (): string => scope;

function makeNode(
  op: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Attrs,
  types: readonly TensorType[],
): Node {
  const outputs: Tensor[] = [];
  const node: Node = { id: nextId++, op, inputs, attrs, outputs, scope };
  types.forEach((type, index) => {
    outputs.push(new Tensor(node, index, type.dtype, type.shape));
  });
  return node;
}

/** Applies an operator and gives all its outputs. */
export function applyAll(op: string, inputs: readonly (Tensor | undefined)[], attrs: Attrs = {}): readonly Tensor[] {
  const types = opDef(op).type(inputs as readonly TensorType[], attrs);
  return makeNode(op, inputs, attrs, Array.isArray(types) ? types : [types as TensorType]).outputs;
}

/** Applies an operator and gives its first output. */
export const apply = (op: string, inputs: readonly (Tensor | undefined)[], attrs?: Attrs): Tensor =>
  applyAll(op, inputs, attrs)[0];

/** A named input of a program. */
export const input = (name: string, dtype: DType, shape: Shape): Tensor =>
  makeNode("Input", [], { name }, [{ dtype, shape }]).outputs[0];

/** A constant from doubles; the value is kept exactly until it is written as its dtype. */
export const constant = (data: ArrayLike<number> | number, shape: Shape = [], dtype: DType = "float32"): Tensor => {
  const value: NdArray = { shape, data: typeof data === "number" ? Float64Array.of(data) : Float64Array.from(data) };
  if (value.data.length !== sizeOf(shape))
    throw new TesseraeError("shape", `${value.data.length} values do not fill ${showShape(shape)}`);
  return makeNode("Constant", [], { value }, [{ dtype, shape }]).outputs[0];
};

/** A constant from host values in their own dtype, not copied: weights. A name stays with it in a file. */
export const constantData = (value: TensorData, name?: string): Tensor =>
  makeNode("Constant", [], name === undefined ? { value } : { value, name }, [
    { dtype: value.dtype, shape: value.shape },
  ]).outputs[0];

/** A constant of one value; broadcasts in arithmetic. */
export const fill = (value: number, shape: Shape, dtype: DType = "float32"): Tensor =>
  shape.some((d) => d < 0)
    ? constant(value, [], dtype).expand(shape)
    : constant(new Float64Array(sizeOf(shape)).fill(value), shape, dtype);

/**
 * A value of the graph, and the fluent way to build more of it. Every method adds nodes named after
 * ONNX operators; shapes and dtypes are checked at once.
 */
export class Tensor implements TensorType {
  readonly node: Node;
  readonly index: number;
  readonly dtype: DType;
  readonly shape: Shape;

  /** @internal Use `input`, `constant` or an operator. */
  constructor(node: Node, index: number, dtype: DType, shape: Shape) {
    this.node = node;
    this.index = index;
    this.dtype = dtype;
    this.shape = shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  get size(): number {
    return sizeOf(this.shape);
  }

  // --- arithmetic, with broadcasting; a number takes this tensor's dtype
  add(b: Operand): Tensor {
    return this.#binary("Add", b);
  }
  sub(b: Operand): Tensor {
    return this.#binary("Sub", b);
  }
  mul(b: Operand): Tensor {
    return this.#binary("Mul", b);
  }
  div(b: Operand): Tensor {
    return this.#binary("Div", b);
  }
  pow(b: Operand): Tensor {
    return this.#binary("Pow", b);
  }
  mod(b: Operand): Tensor {
    return this.#binary("Mod", b);
  }
  min(b: Operand): Tensor {
    return this.#binary("Min", b);
  }
  max(b: Operand): Tensor {
    return this.#binary("Max", b);
  }
  bitXor(b: Operand): Tensor {
    return this.#binary("BitwiseXor", b);
  }
  shiftRight(b: Operand): Tensor {
    return apply("BitShift", [this, this.#operand(b)], { direction: "RIGHT" });
  }

  // --- comparison and choice
  equal(b: Operand): Tensor {
    return this.#binary("Equal", b);
  }
  greater(b: Operand): Tensor {
    return this.#binary("Greater", b);
  }
  less(b: Operand): Tensor {
    return this.#binary("Less", b);
  }
  greaterOrEqual(b: Operand): Tensor {
    return this.#binary("GreaterOrEqual", b);
  }
  lessOrEqual(b: Operand): Tensor {
    return this.#binary("LessOrEqual", b);
  }
  and(b: Tensor): Tensor {
    return this.#binary("And", b);
  }
  not(): Tensor {
    return this.#unary("Not");
  }
  /** this ? a : b, elementwise; at least one of a and b is a tensor. */
  where(a: Operand, b: Operand): Tensor {
    const like = a instanceof Tensor ? a : (b as Tensor);
    return apply("Where", [this, like.#operand(a), like.#operand(b)]);
  }

  // --- elementwise
  neg(): Tensor {
    return this.#unary("Neg");
  }
  abs(): Tensor {
    return this.#unary("Abs");
  }
  sign(): Tensor {
    return this.#unary("Sign");
  }
  exp(): Tensor {
    return this.#unary("Exp");
  }
  log(): Tensor {
    return this.#unary("Log");
  }
  sqrt(): Tensor {
    return this.#unary("Sqrt");
  }
  reciprocal(): Tensor {
    return this.#unary("Reciprocal");
  }
  floor(): Tensor {
    return this.#unary("Floor");
  }
  erf(): Tensor {
    return this.#unary("Erf");
  }
  tanh(): Tensor {
    return this.#unary("Tanh");
  }
  sin(): Tensor {
    return this.#unary("Sin");
  }
  cos(): Tensor {
    return this.#unary("Cos");
  }
  relu(): Tensor {
    return this.#unary("Relu");
  }
  sigmoid(): Tensor {
    return this.#unary("Sigmoid");
  }
  softplus(): Tensor {
    return this.#unary("Softplus");
  }
  isNaN(): Tensor {
    return this.#unary("IsNaN");
  }
  isInf(): Tensor {
    return this.#unary("IsInf");
  }
  square(): Tensor {
    return this.mul(this);
  }
  /** max(low, min(high, x)). */
  clip(low: number, high: number): Tensor {
    return this.max(low).min(high);
  }
  /** max(0, min(1, alpha·x + beta)). */
  hardSigmoid(alpha = 1 / 6, beta = 0.5): Tensor {
    return apply("HardSigmoid", [this], { alpha, beta });
  }
  /** x · sigmoid(x). */
  silu(): Tensor {
    return this.#unary("Silu");
  }
  /** x · hardSigmoid(x). */
  hardSwish(): Tensor {
    return this.#unary("HardSwish");
  }
  /** x · Φ(x), exact (erf). */
  gelu(): Tensor {
    return this.#unary("Gelu");
  }
  /** The tanh approximation of GELU. */
  geluTanh(): Tensor {
    const inner = this.add(this.mul(this).mul(this).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return this.mul(inner.tanh().add(1).mul(0.5));
  }
  cast(dtype: DType): Tensor {
    return dtype === this.dtype ? this : apply("Cast", [this], { to: dtype });
  }

  // --- products
  /** a · b over the last two axes, broadcast over the leading ones. */
  matmul(b: Tensor): Tensor {
    return apply("MatMul", [this, b]);
  }
  /** alpha · op(a) · op(b) + c for matrices. */
  gemm(b: Tensor, c?: Tensor, attrs: { transA?: 0 | 1; transB?: 0 | 1; alpha?: number } = {}): Tensor {
    return apply("Gemm", c ? [this, b, c] : [this, b], attrs);
  }
  /** Convolution of NCHW images with OIHW weights. */
  conv(weight: Tensor, bias?: Tensor, attrs: ConvAttrs = {}): Tensor {
    return apply("Conv", bias ? [this, weight, bias] : [this, weight], attrs as Attrs);
  }

  // --- pooling of NCHW images
  maxPool(attrs: PoolAttrs): Tensor {
    return apply("MaxPool", [this], attrs as Attrs);
  }
  avgPool(attrs: AveragePoolAttrs): Tensor {
    return apply("AveragePool", [this], attrs as Attrs);
  }

  // --- reductions
  sum(axes?: readonly number[], keepdims = false): Tensor {
    return this.#reduce("ReduceSum", axes, keepdims);
  }
  mean(axes?: readonly number[], keepdims = false): Tensor {
    return this.#reduce("ReduceMean", axes, keepdims);
  }
  amax(axes?: readonly number[], keepdims = false): Tensor {
    return this.#reduce("ReduceMax", axes, keepdims);
  }
  sumSquare(axes?: readonly number[], keepdims = false): Tensor {
    return this.#reduce("ReduceSumSquare", axes, keepdims);
  }
  argMax(axis: number): Tensor {
    return apply("ArgMax", [this], { axis: normalizeAxis(axis, this.rank), keepdims: 0 });
  }
  /** Sums over the axes along which `shape` was broadcast to this shape. */
  sumTo(shape: Shape): Tensor {
    if (sameShape(this.shape, shape)) return this;
    const lead = this.rank - shape.length;
    const axes = this.shape.flatMap((d, i) => (i < lead || (shape[i - lead] === 1 && d !== 1) ? [i] : []));
    return this.sum(axes, true).reshape(shape);
  }

  // --- normalisation
  softmax(axis = -1): Tensor {
    return apply("Softmax", [this], { axis: normalizeAxis(axis, this.rank) });
  }
  logSoftmax(axis = -1): Tensor {
    return apply("LogSoftmax", [this], { axis: normalizeAxis(axis, this.rank) });
  }

  // --- shape
  /** One size may be 0 or absent-like: pass "infer" for the axis that takes what is left. */
  reshape(shape: readonly (number | "infer")[]): Tensor {
    const known = sizeOf(shape.map((d) => (d === "infer" ? 1 : d)));
    const target = shape.map((d) => (d === "infer" ? this.size / known : d));
    if (sameShape(target, this.shape)) return this;
    const source = this.node.op === "Reshape" ? (this.node.inputs[0] as Tensor) : this;
    return sameShape(target, source.shape) ? source : apply("Reshape", [source], { shape: target });
  }
  transpose(perm: readonly number[]): Tensor {
    return perm.every((p, i) => p === i) ? this : apply("Transpose", [this], { perm });
  }
  /** The last two axes exchanged. */
  mT(): Tensor {
    const r = this.rank;
    return this.transpose([...Array(r - 2).keys(), r - 1, r - 2]);
  }
  expand(shape: Shape): Tensor {
    return sameShape(shape, this.shape) ? this : apply("Expand", [this], { shape });
  }
  /** start (inclusive) to end (exclusive) along one axis; negative steps walk backwards. */
  slice(axis: number, start: number, end: number, step = 1): Tensor {
    const a = normalizeAxis(axis, this.rank);
    if (step === 1 && start === 0 && end === this.shape[a]) return this;
    return apply("Slice", [this], { starts: [start], ends: [end], axes: [a], steps: [step] });
  }
  /** Equal parts, or parts of the given sizes, along an axis. */
  split(parts: number | readonly number[], axis: number): readonly Tensor[] {
    const a = normalizeAxis(axis, this.rank);
    const split = typeof parts === "number" ? Array<number>(parts).fill(this.shape[a] / parts) : parts;
    return split.length === 1 ? [this] : applyAll("Split", [this], { axis: a, split });
  }
  /** Zeros (or `value`) before and after each axis: pads = [[before, after], ...]. */
  pad(pads: readonly (readonly [number, number])[], value = 0): Tensor {
    if (pads.every(([a, b]) => a === 0 && b === 0)) return this;
    return apply("Pad", [this], { pads: [...pads.map((p) => p[0]), ...pads.map((p) => p[1])], value });
  }
  /** Entries at integer indices along an axis; the axis is replaced by the indices' axes. */
  gather(indices: Tensor, axis = 0): Tensor {
    return apply("Gather", [this, indices], { axis: normalizeAxis(axis, this.rank) });
  }
  squeeze(axis: number): Tensor {
    const a = normalizeAxis(axis, this.rank);
    if (this.shape[a] !== 1)
      throw new TesseraeError("shape", `cannot squeeze axis ${axis} of ${showShape(this.shape)}`);
    return this.reshape(this.shape.filter((_, i) => i !== a));
  }
  unsqueeze(axis: number): Tensor {
    const a = normalizeAxis(axis, this.rank + 1);
    return this.reshape([...this.shape.slice(0, a), 1, ...this.shape.slice(a)]);
  }
  /** Axes from `axis` on merged into one. */
  flatten(axis = 1): Tensor {
    return this.reshape([...this.shape.slice(0, axis), sizeOf(this.shape.slice(axis))]);
  }

  #operand(b: Operand): Tensor {
    return b instanceof Tensor ? b : constant(b, [], this.dtype);
  }
  #binary(op: string, b: Operand): Tensor {
    return apply(op, [this, this.#operand(b)]);
  }
  #unary(op: string): Tensor {
    return apply(op, [this]);
  }
  #reduce(op: string, axes: readonly number[] | undefined, keepdims: boolean): Tensor {
    const list = axes?.map((a) => normalizeAxis(a, this.rank)) ?? [...this.shape.keys()];
    return list.length === 0
      ? this
      : apply(op, [this], { axes: list.sort((a, b) => a - b), keepdims: keepdims ? 1 : 0 });
  }
}

export type ConvAttrs = {
  /** [h, w]; default 1. */
  strides?: readonly number[];
  /** [top, left, bottom, right]; default 0. */
  pads?: readonly number[];
  dilations?: readonly number[];
  group?: number;
};

export type PoolAttrs = {
  /** [kH, kW]. */
  kernel_shape: readonly number[];
  /** [h, w]; default 1. */
  strides?: readonly number[];
  /** [top, left, bottom, right]; default 0. */
  pads?: readonly number[];
  /** 1: a window that starts inside the image may end outside. */
  ceil_mode?: number;
};

export type AveragePoolAttrs = PoolAttrs & {
  /** 1: zeros of the padding count in the mean. */
  count_include_pad?: number;
};

/** Joins along an axis. */
export const concat = (parts: readonly Tensor[], axis: number): Tensor =>
  parts.length === 1 ? parts[0] : apply("Concat", parts, { axis: normalizeAxis(axis, parts[0].rank) });

/** A zero tensor of the same type, for a cotangent that does not flow. */
export const zerosLike = (t: TensorType): Tensor => fill(0, t.shape, t.dtype);

/** Is the dtype one that gradients flow through? */
export const isDifferentiable = (t: TensorType): boolean => isFloat(t.dtype);
