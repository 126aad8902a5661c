import { apply, type Tensor } from "../../graph/tensor.ts";
import { normalizeAxis } from "../../graph/types.ts";
import { type Adapter, type Adapters, type Call, withinSamples } from "../call.ts";

/** Axes of a reduction: an operand in newer opsets, an attribute in older ones, all where both are absent. */
function axesOf(c: Call): readonly number[] | undefined {
  const x = c.in(0);
  const given = c.list(1, "axes");
  if (given?.length) return given.map((a) => normalizeAxis(a, x.rank)).sort((a, b) => a - b);
  return c.int("noop_with_empty_axes", 0) ? undefined : x.shape.map((_, i) => i);
}

/** A reduction f(x, axes, keepdims). */
const reduction =
  (f: (x: Tensor, axes: readonly number[], keepdims: boolean) => Tensor): Adapter =>
  (c) => {
    const x = c.in(0);
    const axes = axesOf(c);
    if (!axes || axes.length === 0) return x;
    withinSamples(x.shape, axes, c.op);
    return f(x, axes, c.int("keepdims", 1) === 1);
  };

const plain = (op: string): Adapter =>
  reduction((x, axes, keepdims) => apply(op, [x], { axes, keepdims: keepdims ? 1 : 0 }));

export const reductions: Adapters = {
  ReduceSum: plain("ReduceSum"),
  ReduceMean: plain("ReduceMean"),
  ReduceMax: plain("ReduceMax"),
  ReduceMin: reduction((x, axes, keep) => x.neg().amax(axes, keep).neg()),
  ReduceProd: plain("ReduceProd"),
  ReduceSumSquare: plain("ReduceSumSquare"),
  ReduceL1: reduction((x, axes, keep) => x.abs().sum(axes, keep)),
  ReduceL2: reduction((x, axes, keep) => x.sumSquare(axes, keep).sqrt()),
  ReduceLogSum: reduction((x, axes, keep) => x.sum(axes, keep).log()),
  ReduceLogSumExp: reduction((x, axes, keep) => {
    const max = x.amax(axes, true);
    const sum = x.sub(max).exp().sum(axes, true).log().add(max);
    return keep ? sum : sum.reshape(x.shape.filter((_, i) => !axes.includes(i)));
  }),
  ArgMax: (c) => {
    const axis = normalizeAxis(c.int("axis", 0), c.in(0).rank);
    withinSamples(c.in(0).shape, [axis], c.op);
    return apply("ArgMax", [c.in(0)], { axis, keepdims: c.int("keepdims", 1) });
  },
};
