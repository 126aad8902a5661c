import { TesseraeError } from "../../errors.ts";
import { type Program, programOf } from "../program.ts";
import { apply, applyAll, type Node, type Tensor, withScope } from "../tensor.ts";
import { type Shape, showShape } from "../types.ts";
import { isOperator, nodesOf } from "../walk.ts";
import { type Demand, holderOf, type Range, type Rule, sliceRules, viewOf } from "./slice-rules.ts";

/**
 * Computes only what is read. Where every reader of a tensor takes the same slice of it, such as the class token after
 * the last block, the slice moves up: the last block's queries, projection and MLP run on one token instead of all.
 * Meant for the forward graph, before gradients are taken.
 */
export function dropDeadTokens(program: Program): Program {
  const nodes = nodesOf(program.outputs.values());
  const demands = demandsOf(program, nodes);
  const image = new Map<Tensor, Tensor>();
  const imageOf = (t: Tensor): Tensor => image.get(t) ?? t;
  /** The part of a tensor that a reader asks for, cut out of what was computed of it. */
  const take = (t: Tensor, wanted: Demand): Tensor => {
    const have = demands.get(t) ?? "full";
    const value = imageOf(t);
    if (wanted === "full" || sameDemand(have, wanted)) return value;
    const start = have === "full" ? 0 : have.start;
    const size = have === "full" ? wanted.size : have.end - have.start;
    const cut = value.reshape([wanted.before, size, wanted.after]).slice(1, wanted.start - start, wanted.end - start);
    return cut.reshape(narrow(t.shape, wanted));
  };
  for (const node of nodes) {
    if (!isOperator(node) || !node.outputs.some((t) => demands.has(t))) continue;
    withScope(node.scope, () => {
      const plan = planOf(node, demands);
      const outputs = plan ? [apply(node.op, inputsFor(node, plan.inputs, take), plan.attrs)] : whole(node, take);
      node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
    });
  }
  return programOf(program, imageOf);
}

const inputsFor = (node: Node, wanted: readonly Demand[], take: (t: Tensor, d: Demand) => Tensor) =>
  node.inputs.map((t, i) => t && take(t, wanted[i]));

/** A node computed whole, or a Slice taken out of what there is. */
function whole(node: Node, take: (t: Tensor, d: Demand) => Tensor): readonly Tensor[] {
  const range = sliced(node);
  if (range) return [take(node.inputs[0] as Tensor, range).reshape(node.outputs[0].shape)];
  const inputs = node.inputs.map((t) => t && take(t, "full"));
  return inputs.every((t, i) => t === node.inputs[i]) ? node.outputs : applyAll(node.op, inputs, node.attrs);
}

interface Plan {
  readonly inputs: readonly Demand[];
  readonly attrs: Node["attrs"];
}

/** How to compute only the demanded part of a node, if its operator allows that. */
function planOf(node: Node, demands: ReadonlyMap<Tensor, Demand>): Plan | undefined {
  const demand = demands.get(node.outputs[0]);
  if (!demand || demand === "full" || node.outputs.slice(1).some((t) => demands.has(t))) return undefined;
  const rule: Rule | undefined = sliceRules[node.op];
  const inputs = rule?.(node, demand);
  if (!inputs) return undefined;
  const attrs = node.op === "Reshape" ? { shape: narrow(node.outputs[0].shape, demand) } : node.attrs;
  return { inputs, attrs };
}

/** What is read of each tensor, walking from the outputs back. */
function demandsOf(program: Program, nodes: readonly Node[]): Map<Tensor, Demand> {
  const demands = new Map<Tensor, Demand>();
  const ask = (t: Tensor | undefined, d: Demand): void => {
    if (t) demands.set(t, join(demands.get(t), d));
  };
  for (const t of program.outputs.values()) ask(t, "full");
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((t) => demands.has(t))) continue;
    const range = sliced(node);
    const plan = range ? undefined : planOf(node, demands);
    if (!plan && !range) for (const t of node.outputs) if (demands.has(t)) demands.set(t, "full");
    node.inputs.forEach((t, i) => {
      ask(t, range ?? plan?.inputs[i] ?? "full");
    });
    // What cannot be computed in part is computed whole, and cut for its readers.
    if (range) demands.set(node.outputs[0], "full");
  }
  return demands;
}

/** The range that a Slice along one axis takes, if it leaves out at least half. */
function sliced({ op, inputs, attrs }: Node): Range | undefined {
  if (op !== "Slice") return undefined;
  const { axes, starts, ends, steps } = attrs as Record<string, readonly number[]>;
  const x = inputs[0] as Tensor;
  if (axes.length !== 1 || steps[0] !== 1 || starts[0] < 0 || ends[0] < 0) return undefined;
  const view = viewOf(x.shape, axes[0]);
  const end = Math.min(ends[0], view.size);
  return view.size > 0 && 2 * (end - starts[0]) <= view.size ? { ...view, start: starts[0], end } : undefined;
}

const sameView = (a: Range, b: Range): boolean => a.before === b.before && a.size === b.size && a.after === b.after;

const sameDemand = (a: Demand, b: Demand): boolean =>
  a === b || (a !== "full" && b !== "full" && sameView(a, b) && a.start === b.start && a.end === b.end);

/** The least that covers both. */
function join(a: Demand | undefined, b: Demand): Demand {
  if (!a || a === "full" || b === "full") return a ? "full" : b;
  if (!sameView(a, b)) return "full";
  const [start, end] = [Math.min(a.start, b.start), Math.max(a.end, b.end)];
  return 2 * (end - start) <= a.size ? { ...a, start, end } : "full";
}

/** The shape with the range in place of the whole: [N, L, D] or [N·L, D] to [N, l, D] or [N·l, D]. */
function narrow(shape: Shape, range: Range): Shape {
  const axis = holderOf(shape, range);
  if (axis === undefined) throw new TesseraeError("internal", `no axis of ${showShape(shape)} holds the range`);
  return shape.map((v, i) => (i === axis ? (v / range.size) * (range.end - range.start) : v));
}
