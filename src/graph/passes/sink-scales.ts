import { constantValue } from "../evaluate.ts";
import { type Program, programOf } from "../program.ts";
import { applyAll, type Node, type Tensor, withScope } from "../tensor.ts";
import { isFloat } from "../types.ts";
import { isOperator, nodesOf } from "../walk.ts";

/** base · scale, not yet multiplied. */
interface Scaled {
  readonly base: Tensor;
  readonly scale: number;
}

/** Operators f with f(s·x) = s·f(x) in their only tensor input. */
const LINEAR = new Set(["Reshape", "Transpose", "Slice", "Expand", "ReduceSum", "ReduceMean", "Split", "Neg"]);

/**
 * Carries factors that are scalar constants (1/2 of GELU, 1/√2, means) down the graph, joins them, and ends them in
 * the alpha of a Gemm, instead of spending a pass over an activation on each. A factor moves only where every reader
 * can take it.
 */
export function sinkScales(program: Program): Program {
  const nodes = nodesOf(program.outputs.values());
  const absorbed = absorbedTensors(program, nodes);
  const lazy = new Map<Tensor, Scaled>();
  const full = new Map<Tensor, Tensor>();
  const scaledOf = (t: Tensor): Scaled => lazy.get(t) ?? { base: t, scale: 1 };
  const materialize = (t: Tensor): Tensor => {
    const known = full.get(t);
    if (known) return known;
    const { base, scale } = scaledOf(t);
    const value = scale === 1 ? base : withScope(t.node.scope, () => base.mul(scale));
    full.set(t, value);
    return value;
  };
  for (const node of nodes) {
    if (!isOperator(node)) continue;
    withScope(node.scope, () => {
      const results = sink(node, scaledOf, materialize) ?? rebuilt(node, materialize);
      node.outputs.forEach((t, i) => {
        lazy.set(t, results[i]);
        if (!absorbed.has(t)) lazy.set(t, { base: materialize(t), scale: 1 });
      });
    });
  }
  return programOf(program, materialize);
}

/** Tensors all of whose readers can take a factor along: into an alpha, or further down. */
function absorbedTensors(program: Program, nodes: readonly Node[]): ReadonlySet<Tensor> {
  const read = new Set<Tensor>();
  const refused = new Set<Tensor>(program.outputs.values());
  const passesOn = (node: Node, i: number): boolean => {
    if (node.op === "Gemm") return i < 2;
    if (node.op === "ReduceSum") return true; // what is left is small
    if (LINEAR.has(node.op)) return node.outputs.every((t) => read.has(t) && !refused.has(t));
    if (node.op === "Div") return i === 0 && scalar(node.inputs[1] as Tensor) !== undefined;
    if (node.op !== "Mul") return false;
    return (
      scalar(node.inputs[1 - i] as Tensor) !== undefined || (read.has(node.outputs[0]) && !refused.has(node.outputs[0]))
    );
  };
  for (const node of [...nodes].reverse())
    node.inputs.forEach((t, i) => {
      if (!t) return;
      read.add(t);
      if (!passesOn(node, i)) refused.add(t);
    });
  return new Set([...read].filter((t) => !refused.has(t)));
}

const rebuilt = (node: Node, value: (t: Tensor) => Tensor): Scaled[] => {
  const inputs = node.inputs.map((t) => t && value(t));
  const same = inputs.every((t, i) => t === node.inputs[i]);
  return (same ? node.outputs : applyAll(node.op, inputs, node.attrs)).map((base) => ({ base, scale: 1 }));
};

/** The node's outputs with the scales of its inputs kept apart; undefined where it cannot keep them. */
function sink(node: Node, scaledOf: (t: Tensor) => Scaled, materialize: (t: Tensor) => Tensor): Scaled[] | undefined {
  const [x, y, c] = node.inputs as Tensor[];
  if (!x || !isFloat(x.dtype)) return undefined;
  if (LINEAR.has(node.op)) {
    const { base, scale } = scaledOf(x);
    if (node.op === "Neg") return [{ base, scale: -scale }];
    const outputs = base === x ? node.outputs : applyAll(node.op, [base], node.attrs);
    return outputs.map((t) => ({ base: t, scale }));
  }
  if (node.op === "Mul") return product(node, scaledOf(x), scaledOf(y), x, y);
  const divisor = node.op === "Div" ? scalar(y) : undefined;
  if (divisor !== undefined && keepsShape(node, x)) {
    const { base, scale } = scaledOf(x);
    return [{ base, scale: scale / divisor }];
  }
  if (node.op === "Gemm") {
    const [a, b] = [scaledOf(x), scaledOf(y)];
    if (a.scale * b.scale === 1) return undefined;
    const alpha = ((node.attrs.alpha as number | undefined) ?? 1) * a.scale * b.scale;
    const inputs = c ? [a.base, b.base, materialize(c)] : [a.base, b.base];
    return applyAll("Gemm", inputs, { ...node.attrs, alpha }).map((base) => ({ base, scale: 1 }));
  }
  return undefined;
}

/** x · y, where a scalar constant becomes part of the scale. */
function product(node: Node, a: Scaled, b: Scaled, x: Tensor, y: Tensor): Scaled[] {
  const [sx, sy] = [scalar(x), scalar(y)];
  if (sy !== undefined && keepsShape(node, x)) return [{ base: a.base, scale: a.scale * sy }];
  if (sx !== undefined && keepsShape(node, y)) return [{ base: b.base, scale: b.scale * sx }];
  const base = a.base === x && b.base === y ? node.outputs[0] : a.base.mul(b.base);
  return [{ base, scale: a.scale * b.scale }];
}

const keepsShape = (node: Node, x: Tensor): boolean => `${node.outputs[0].shape}` === `${x.shape}`;

/** Value of a constant of one element, if it is a number to multiply by. */
function scalar({ node, shape }: Tensor): number | undefined {
  if (node.op !== "Constant" || shape.some((d) => d !== 1)) return undefined;
  const [value] = constantValue(node).data;
  return Number.isFinite(value) && value !== 0 ? value : undefined;
}
