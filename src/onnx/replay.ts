import { applyAll, type Node, type Tensor, withScope } from "../graph/tensor.ts";
import { isTraining, trace } from "../nn/module.ts";
import { batchNormInTraining, type Statistics } from "../nn/norm.ts";

export interface ReplayOptions {
  /** Tensors that are given instead of computed: the image, features, slots. */
  readonly given: ReadonlyMap<Tensor, Tensor>;
  /** Images; negative: free. */
  readonly batch: number;
  /** Running statistics that a norm at hand may update, by its node; absent ones keep what they are. */
  readonly statistics: ReadonlySet<Tensor>;
}

/** Computes a graph of a free batch again, over other tensors and at another batch. */
export function replay(outputs: readonly Tensor[], { given, batch, statistics }: ReplayOptions): Tensor[] {
  const image = new Map<Tensor, Tensor>(given);
  const known = new Set([...given.keys()].map((t) => t.node));
  for (const node of upTo(outputs, known)) {
    if (known.has(node)) continue;
    if (node.op === "Constant") {
      image.set(node.outputs[0], node.outputs[0]);
      continue;
    }
    const inputs = node.inputs.map((t) => t && (image.get(t) as Tensor));
    const made = withScope(node.scope, () => again(node, inputs, batch, statistics));
    node.outputs.forEach((t, i) => {
      if (!image.has(t)) image.set(t, made[i]);
    });
  }
  return outputs.map((t) => image.get(t) as Tensor);
}

/** Nodes that the outputs need beyond what is known, inputs first. */
function upTo(outputs: readonly Tensor[], known: ReadonlySet<Node>): Node[] {
  const seen = new Set<Node>();
  const stack = outputs.map((t) => t.node);
  while (stack.length > 0) {
    const node = stack.pop() as Node;
    if (seen.has(node) || known.has(node)) continue;
    seen.add(node);
    for (const t of node.inputs) if (t) stack.push(t.node);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

function again(
  node: Node,
  inputs: readonly (Tensor | undefined)[],
  batch: number,
  statistics: ReadonlySet<Tensor>,
): readonly Tensor[] {
  if (
    node.op === "BatchNormalization" &&
    [3, 4].every((i) => statistics.has(node.inputs[i] as Tensor)) &&
    isTraining() &&
    !trace().isFrozen(inputs[3] as Tensor)
  ) {
    const [x, weight, bias, mean, variance] = inputs as readonly Tensor[];
    const { epsilon, momentum } = node.attrs as { epsilon: number; momentum: number };
    const running: Statistics = { mean, variance };
    return [batchNormInTraining(x, { weight, bias, running, epsilon, momentum: 1 - momentum })];
  }
  return applyAll(node.op, inputs, resized(node, batch));
}

/** Sizes of k·N as numbers. */
function resized({ op, attrs }: Node, batch: number): Node["attrs"] {
  if (op !== "Reshape" && op !== "Expand") return attrs;
  return { ...attrs, shape: (attrs.shape as readonly number[]).map((d) => (d < 0 ? -d * batch : d)) };
}
