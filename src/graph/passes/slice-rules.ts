import type { Node, Tensor } from "../tensor.ts";
import { type Shape, sameShape, sizeOf } from "../types.ts";

/** A tensor seen as [before, size, after], whatever its axes; reshaping does not change the view. */
export interface View {
  readonly before: number;
  readonly size: number;
  readonly after: number;
}

/** start (inclusive) to end (exclusive) of a view's middle axis. */
export interface Range extends View {
  readonly start: number;
  readonly end: number;
}

/** What is read of a tensor. */
export type Demand = Range | "full";

export const viewOf = (shape: Shape, axis: number): View => ({
  before: sizeOf(shape.slice(0, axis)),
  size: shape[axis],
  after: sizeOf(shape.slice(axis + 1)),
});

/** The demands on a node's inputs from one on its output; undefined: the operator needs all. */
export type Rule = (node: Node, demand: Range) => readonly Demand[] | undefined;

/** The axis of a shape that is the range's middle, if one is. */
const axisOf = (shape: Shape, { before, size }: View): number | undefined => {
  const axis = shape.findIndex((d, i) => d === size && sizeOf(shape.slice(0, i)) === before);
  return axis < 0 ? undefined : axis;
};

const onAxis = (shape: Shape, axis: number, { start, end }: Range): Range => ({ ...viewOf(shape, axis), start, end });

/** Every output element depends on the inputs' elements of the same place. */
const elementwise: Rule = ({ inputs, outputs: [y] }, demand) => {
  const axis = axisOf(y.shape, demand);
  const demands = inputs.map((t): Demand | undefined => {
    if (!t || sameShape(t.shape, y.shape)) return demand;
    if (axis === undefined) return undefined;
    const own = axis - (y.rank - t.rank);
    return own < 0 || t.shape[own] === 1 ? "full" : onAxis(t.shape, own, demand);
  });
  return demands.every((d) => d !== undefined) ? demands : undefined;
};

/** The normalised or reduced axes must lie inside the range's rows. */
const rowwise =
  (axis: number): Rule =>
  ({ inputs, outputs: [y] }, demand) =>
    Number.isInteger(demand.after / sizeOf(y.shape.slice(axis)))
      ? inputs.map((_, i) => (i === 0 ? demand : "full"))
      : undefined;

/**
 * The axis of a shape that the range's middle is a part of: [N, L, D] and [N·L, D] hold a range of L, [N, L/2, 2, D] has no
 * axis for it.
 */
export function holderOf(shape: Shape, { before, size }: View): number | undefined {
  let product = 1;
  for (const [axis, d] of shape.entries()) {
    const outer = before / product;
    if (Number.isInteger(outer) && Number.isInteger(d / (outer * size))) return axis;
    product *= d;
  }
  return undefined;
}

const reshape: Rule = ({ inputs }, demand) =>
  holderOf((inputs[0] as Tensor).shape, demand) === undefined ? undefined : [demand];

const transpose: Rule = ({ inputs, outputs: [y], attrs }, demand) => {
  const axis = axisOf(y.shape, demand);
  return axis === undefined ? undefined : [onAxis((inputs[0] as Tensor).shape, (attrs.perm as number[])[axis], demand)];
};

/** Rows of the product are rows of the first factor. */
const matmul: Rule = ({ inputs, outputs: [y] }, demand) => {
  const a = inputs[0] as Tensor;
  return axisOf(y.shape, demand) === y.rank - 2 ? [onAxis(a.shape, a.rank - 2, demand), "full"] : undefined;
};

const gemm: Rule = ({ inputs, outputs: [y], attrs }, { before, size, after, start, end }) => {
  const [a, , c] = inputs as Tensor[];
  const rows = after / y.shape[1];
  if (attrs.transA || !Number.isInteger(rows) || (c && c.rank > 1 && c.shape[0] !== 1)) return undefined;
  return [{ before, size, after: rows * a.shape[1], start, end }, "full", "full"];
};

const ELEMENTWISE = [
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Gelu",
  "Erf",
  "Exp",
  "Relu",
  "Sigmoid",
  "Silu",
  "Tanh",
  "HardSwish",
  "Neg",
  "Sqrt",
  "Cast",
];

/** Operators that can compute a part of their output from a part of their inputs. */
export const sliceRules: Readonly<Record<string, Rule>> = {
  ...Object.fromEntries(ELEMENTWISE.map((op) => [op, elementwise])),
  LayerNormalization: (node, demand) => rowwise(node.attrs.axis as number)(node, demand),
  Softmax: (node, demand) => rowwise(node.attrs.axis as number)(node, demand),
  Reshape: reshape,
  Transpose: transpose,
  MatMul: matmul,
  Gemm: gemm,
};
