import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Node, Tensor } from "../tensor.ts";
import { nodesOf } from "../walk.ts";

/**
 * The row sums of softmax's gradient in attention. With O = P · V and dP = dO · Vᵀ,
 * Σ_j dP_ij P_ij = Σ_d dO_id O_id: sums over the head's width instead of over all keys (FlashAttention, eq. 4).
 */
export function softmaxDelta(program: Program): Program {
  const readers = new Map<Tensor, Node[]>();
  for (const node of nodesOf(program.outputs.values()))
    if (node.op === "MatMul")
      readers.set(node.inputs[0] as Tensor, [...(readers.get(node.inputs[0] as Tensor) ?? []), node]);
  return rewrite(program, (node, inputs, mapped) => {
    const match = node.op === "ReduceSum" && deltaOf(node, readers);
    if (!match) return undefined;
    // The rule sees rewritten inputs; the factors below the product are reached through them.
    const product = (inputs[0] as Tensor).node;
    const gradient = (product.inputs[match.side] as Tensor).node.inputs[0] as Tensor;
    return [gradient.mul(mapped(match.output)).sum([gradient.rank - 1], true)];
  });
}

/** O, and the side of dP in the product, where the node is Σ dP ⊙ P over the last axis. */
function deltaOf(
  node: Node,
  readers: ReadonlyMap<Tensor, readonly Node[]>,
): { output: Tensor; side: number } | undefined {
  const x = node.inputs[0] as Tensor;
  const overKeys = `${node.attrs.axes}` === `${x.rank - 1}` && node.attrs.keepdims === 1;
  if (!overKeys || x.node.op !== "Mul") return undefined;
  for (const side of [0, 1]) {
    const dP = (x.node.inputs[side] as Tensor).node;
    const P = x.node.inputs[1 - side] as Tensor;
    if (dP.op !== "MatMul" || P.node.op !== "Softmax") continue;
    const transposed = (dP.inputs[1] as Tensor).node;
    if (transposed.op !== "Transpose") continue;
    const V = transposed.inputs[0] as Tensor;
    const output = readers.get(P)?.find((n) => n.inputs[1] === V && n.id < node.id)?.outputs[0];
    const keys = P.shape[P.rank - 1];
    if (output && V.shape[V.rank - 1] < keys) return { output, side };
  }
  return undefined;
}
