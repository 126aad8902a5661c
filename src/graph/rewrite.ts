import type { Program } from "./program.ts";
import { applyAll, type Node, type Tensor, withScope } from "./tensor.ts";
import { nodesOf } from "./walk.ts";

/** How often each tensor is read, by operators and as an output of the program. */
export function countUses(program: Program): ReadonlyMap<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const add = (t: Tensor | undefined): void => {
    if (t) uses.set(t, (uses.get(t) ?? 0) + 1);
  };
  for (const node of nodesOf(program.outputs.values())) node.inputs.forEach(add);
  for (const t of program.outputs.values()) add(t);
  return uses;
}

/** Replaces a node's outputs, given its rewritten inputs; undefined leaves the node as it is. */
export type Rule = (node: Node, inputs: readonly (Tensor | undefined)[]) => readonly Tensor[] | undefined;

/** Rebuilds a program from its inputs to its outputs, offering every operator to a rule. */
export function rewrite(program: Program, rule: Rule): Program {
  const image = new Map<Tensor, Tensor>();
  const mapped = (t: Tensor): Tensor => image.get(t) ?? t;
  for (const node of nodesOf(program.outputs.values())) {
    if (node.op === "Input") continue;
    const inputs = node.inputs.map((t) => t && mapped(t));
    const changed = inputs.some((t, i) => t !== node.inputs[i]);
    const outputs = withScope(
      node.scope,
      () => rule(node, inputs) ?? (changed ? applyAll(node.op, inputs, node.attrs) : undefined),
    );
    if (outputs) node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
  }
  const outputs = new Map([...program.outputs].map(([name, t]) => [name, mapped(t)]));
  return { ...program, outputs };
}
