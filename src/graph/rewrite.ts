import { type Program, programOf } from "./program.ts";
import { applyAll, type Node, type Tensor, withScope } from "./tensor.ts";
import { nodesOf } from "./walk.ts";

/**
 * Replaces a node's outputs, given its rewritten inputs; undefined leaves the node as it is. `mapped` gives what an
 * earlier tensor of the program became.
 */
export type Rule = (
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  mapped: (t: Tensor) => Tensor,
) => readonly Tensor[] | undefined;

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
      () => rule(node, inputs, mapped) ?? (changed ? applyAll(node.op, inputs, node.attrs) : undefined),
    );
    if (outputs) node.outputs.forEach((t, i) => void image.set(t, outputs[i]));
  }
  return programOf(program, mapped);
}
