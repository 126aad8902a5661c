import type { Node, Tensor } from "./tensor.ts";

/** Every node that the tensors depend on, inputs first. */
export function nodesOf(outputs: Iterable<Tensor>): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs].map((t) => t.node);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (seen.has(node)) continue;
    seen.add(node);
    for (const t of node.inputs) if (t) stack.push(t.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
