import { TesseraeError } from "../errors.ts";
import { opDef } from "../graph/op.ts";
import { fill, isDifferentiable, type Node, type Tensor, withScope, zerosLike } from "../graph/tensor.ts";
import { showShape } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";
import "../ops/index.ts";

/**
 * Reverse-mode gradients of a scalar: d loss / d w for each w of `wrt` (any tensor that the loss depends on;
 * zeros for one it does not depend on). One walk from the loss back that knows no operator by name.
 */
export function grad(loss: Tensor, wrt: readonly Tensor[]): Tensor[] {
  if (loss.size !== 1) throw new TesseraeError("shape", `gradients start from a scalar, not ${showShape(loss.shape)}`);
  return vjp([loss], [fill(1, loss.shape, loss.dtype)], wrt);
}

/** Cotangents of `wrt` given cotangents of `outputs`: a vector-Jacobian product. */
export function vjp(outputs: readonly Tensor[], cotangents: readonly Tensor[], wrt: readonly Tensor[]): Tensor[] {
  const nodes = nodesOf(outputs);
  const active = dependents(nodes, wrt);
  const parts = new Map<Node, (Tensor | undefined)[]>();
  const accumulate = (t: Tensor, dy: Tensor): void => {
    const list = parts.get(t.node) ?? [];
    const sum = list[t.index];
    list[t.index] = sum ? sum.add(dy) : dy;
    parts.set(t.node, list);
  };
  outputs.forEach((t, i) => {
    accumulate(t, cotangents[i]);
  });
  for (const node of nodes.reverse()) {
    const dys = parts.get(node);
    if (dys && active.has(node)) withScope(node.scope, () => propagate(node, dys, active, accumulate));
  }
  return wrt.map((t) => parts.get(t.node)?.[t.index] ?? zerosLike(t));
}

/** Nodes through which the outputs depend on `wrt`; the sources themselves are not propagated through. */
function dependents(nodes: readonly Node[], wrt: readonly Tensor[]): Set<Node> {
  const sources = new Set(wrt.map((t) => t.node));
  const active = new Set<Node>();
  for (const node of nodes)
    if (node.inputs.some((t) => t && isDifferentiable(t) && (active.has(t.node) || sources.has(t.node))))
      active.add(node);
  for (const node of sources) if (!active.has(node)) active.add(node);
  return active;
}

function propagate(
  node: Node,
  dys: readonly (Tensor | undefined)[],
  active: ReadonlySet<Node>,
  accumulate: (t: Tensor, dy: Tensor) => void,
): void {
  if (!node.inputs.some((t) => t && active.has(t.node))) return;
  const rule = opDef(node.op).vjp;
  if (!rule)
    throw new TesseraeError("model", `operator ${node.op} has no gradient`, { where: node.scope || undefined });
  const dy = dys[0] ?? zerosLike(node.outputs[0]);
  const dxs = rule({ x: node.inputs as readonly Tensor[], y: node.outputs, dy, dys, attrs: node.attrs });
  node.inputs.forEach((x, i) => {
    const dx = dxs[i];
    if (x && dx && isDifferentiable(x) && active.has(x.node)) accumulate(x, dx);
  });
}
