import type { Node, Tensor } from "./tensor.ts";

/** Whether a node computes something: it is neither an input nor a constant. */
export const isOperator = ({ op }: Node): boolean => op !== "Input" && op !== "Constant";

/** The nodes that read each tensor, each once. */
export function readersOf(nodes: Iterable<Node>): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>();
  for (const n of nodes)
    for (const t of new Set(n.inputs)) {
      if (!t) continue;
      const known = readers.get(t);
      if (known) known.push(n);
      else readers.set(t, [n]);
    }
  return readers;
}

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
