import { constantValue } from "../graph/evaluate.ts";
import type { Program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { apply, constant, type Node, type Tensor } from "../graph/tensor.ts";
import { sameShape } from "../graph/types.ts";
import { scalarOf } from "./call.ts";

/**
 * Finds layer norms and GELUs that a file writes out in elementary operators, by their structure, so that they train by
 * the rules of one operator each.
 */
export const recognise = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    const found = RULES[node.op]?.(node, inputs as readonly Tensor[]);
    return found && [found];
  });

type Rule = (node: Node, x: readonly Tensor[]) => Tensor | undefined;

const RULES: Readonly<Record<string, Rule | undefined>> = {
  Div: (_node, [a, b]) => standardized(a, b.node.op === "Sqrt" ? (b.node.inputs[0] as Tensor) : undefined),
  Mul: (_node, [a, b]) =>
    gelu(a, b) ?? standardized(a, rootOf(b)) ?? standardized(b, rootOf(a)) ?? scaled(a, b) ?? scaled(b, a),
  Add: (_node, [a, b]) => shifted(a, b) ?? shifted(b, a),
};

const near = (v: number | undefined, to: number): boolean => v !== undefined && Math.abs(v - to) < 1e-4 * Math.abs(to);

/** v of 1/√v. */
function rootOf({ node }: Tensor): Tensor | undefined {
  if (node.op !== "Reciprocal") return undefined;
  const root = (node.inputs[0] as Tensor).node;
  return root.op === "Sqrt" ? (root.inputs[0] as Tensor) : undefined;
}

/** A binary operator's operands where one is a scalar: [the other, the scalar]. */
function withScalar({ node }: Tensor, op: string): readonly [Tensor, number] | undefined {
  if (node.op !== op) return undefined;
  const [a, b] = node.inputs as readonly Tensor[];
  const [va, vb] = [scalarOf(a), scalarOf(b)];
  if (vb !== undefined) return [a, vb];
  return va !== undefined && op !== "Div" && op !== "Sub" ? [b, va] : undefined;
}

// --- GELU = x · 1/2 · (1 + erf(x / √2))

function gelu(a: Tensor, b: Tensor): Tensor | undefined {
  const factors = [...factorsOf(a), ...factorsOf(b)];
  if (factors.length !== 3) return undefined;
  const half = factors.find((t) => near(scalarOf(t), 0.5));
  const rest = factors.filter((t) => t !== half);
  if (!half || rest.length !== 2) return undefined;
  const [p, q] = rest;
  if (argumentOfPhi(p) === q) return q.gelu();
  return argumentOfPhi(q) === p ? p.gelu() : undefined;
}

/** Factors of a product of products, two levels deep. */
const factorsOf = (t: Tensor): readonly Tensor[] => (t.node.op === "Mul" ? (t.node.inputs as readonly Tensor[]) : [t]);

/** x of 1 + erf(x / √2). */
function argumentOfPhi(t: Tensor): Tensor | undefined {
  const sum = withScalar(t, "Add");
  if (sum?.[1] !== 1 || sum[0].node.op !== "Erf") return undefined;
  const inner = sum[0].node.inputs[0] as Tensor;
  const quotient = withScalar(inner, "Div");
  if (quotient && near(quotient[1], Math.SQRT2)) return quotient[0];
  const product = withScalar(inner, "Mul");
  return product && near(product[1], Math.SQRT1_2) ? product[0] : undefined;
}

// --- layer norm = (x - mean) / √(mean((x - mean)²) + ε) · scale + bias

/** The norm without scale and bias, where `centred` is x - mean(x) and `sum` the variance with ε. */
function standardized(centred: Tensor, sum: Tensor | undefined): Tensor | undefined {
  const about = centredAbout(centred);
  const variance = sum && withScalar(sum, "Add");
  if (!about || !variance || variance[1] <= 0) return undefined;
  const { op, inputs, attrs } = variance[0].node;
  const square = inputs[0]?.node;
  if (op !== "ReduceMean" || square?.op !== "Mul" || `${attrs.axes}` !== `${about.axes}` || !attrs.keepdims)
    return undefined;
  const [p, q] = square.inputs as readonly Tensor[];
  const other = centredAbout(p);
  if (p !== q || other?.x !== about.x || `${other.axes}` !== `${about.axes}`) return undefined;
  const axis = about.axes[0];
  const shape = about.x.shape.slice(axis);
  const ones = constant(1).expand(shape);
  return apply("LayerNormalization", [about.x, ones], { axis, epsilon: variance[1] });
}

/** x and the trailing axes of x - mean(x). */
function centredAbout({ node }: Tensor): { x: Tensor; axes: readonly number[] } | undefined {
  if (node.op !== "Sub") return undefined;
  const [x, mean] = node.inputs as readonly Tensor[];
  const axes = mean.node.attrs.axes as readonly number[] | undefined;
  const trailing = axes?.every((a, i) => a === x.rank - axes.length + i);
  if (mean.node.op !== "ReduceMean" || mean.node.inputs[0] !== x || !axes || !trailing || !mean.node.attrs.keepdims)
    return undefined;
  return { x, axes };
}

const isOnes = (t: Tensor): boolean =>
  t.node.op === "Expand" && scalarOf(t.node.inputs[0]) === 1 && (t.node.inputs[0] as Tensor).size === 1;

/** A norm of scale one, multiplied by a tensor of its width: that is its scale. */
function scaled(y: Tensor, scale: Tensor): Tensor | undefined {
  const { op, inputs, attrs } = y.node;
  if (op !== "LayerNormalization" || y.index !== 0 || inputs.length !== 2 || !isOnes(inputs[1] as Tensor))
    return undefined;
  const width = (inputs[1] as Tensor).shape;
  return sameShape(scale.shape, width) && isWeight(scale) ? apply(op, [inputs[0], scale], attrs) : undefined;
}

function shifted(y: Tensor, bias: Tensor): Tensor | undefined {
  const { op, inputs, attrs } = y.node;
  if (op !== "LayerNormalization" || y.index !== 0 || inputs.length !== 2) return undefined;
  const width = (inputs[1] as Tensor).shape;
  return sameShape(bias.shape, width) && isWeight(bias) ? apply(op, [...inputs, bias], attrs) : undefined;
}

/** A tensor that is the same for every image: no size of it is the batch's, and it is a constant of several values. */
const isWeight = (t: Tensor): boolean =>
  t.node.op === "Input" || (t.node.op === "Constant" && constantValue(t.node).data.length > 0);
