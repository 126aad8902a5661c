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

/** Tells which tensors one node alone reads, and are none of the results themselves. */
export function readOnceFor(outputs: Iterable<Tensor>): (t: Tensor) => boolean {
  const results = new Set(outputs);
  const readers = readersOf(nodesOf(results));
  return (t) => readers.get(t)?.length === 1 && !results.has(t);
}

/** Readers of a tensor, and of its reshaped forms, which are the same memory. */
export const readersThrough = (t: Tensor, readers: ReadonlyMap<Tensor, readonly Node[]>): Node[] =>
  (readers.get(t) ?? []).flatMap((n) => (n.op === "Reshape" ? readersThrough(n.outputs[0], readers) : [n]));

/** What a tensor is a reshaped form of: reshaping copies nothing. */
export const sourceOf = (t: Tensor): Tensor => (t.node.op === "Reshape" ? sourceOf(t.node.inputs[0] as Tensor) : t);

/** Every node that the tensors depend on, inputs first; none of `known`, nor what only those depend on. */
export function nodesOf(outputs: Iterable<Tensor>, known: ReadonlySet<Node> = new Set()): Node[] {
  const seen = new Set<Node>();
  const stack = [...outputs].map((t) => t.node);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (seen.has(node) || known.has(node)) continue;
    seen.add(node);
    for (const t of node.inputs) if (t) stack.push(t.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}
