import { constantValue } from "../graph/evaluate.ts";
import { opDef } from "../graph/op.ts";
import { constant, type Node, type Tensor } from "../graph/tensor.ts";
import { isFloat, type NdArray, sizeOf } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";
import { isConstant, Refusal } from "./call.ts";
import { LIMITS } from "./limits.ts";

/**
 * Evaluates what depends on no image and on no weight: the computation of shapes, indices and masks. What is computed of
 * weights (a table that is gathered, a kernel that is standardised) stays in the graph, so that it trains as it was.
 */
export class Folder {
  readonly #weights: ReadonlyMap<Tensor, string>;
  #left: number = LIMITS.constants;

  /** `tensors` are the constants that the file holds as tensors. */
  constructor(tensors: ReadonlyMap<Tensor, string>) {
    this.#weights = tensors;
  }

  /** A float tensor of several values may be a weight. */
  #isFixed(t: Tensor): boolean {
    return isConstant(t) && !(this.#weights.has(t) && isFloat(t.dtype) && t.size > 1);
  }

  fold(outputs: readonly Tensor[], x: readonly (Tensor | undefined)[]): readonly Tensor[] {
    if (!x.every((t) => t === undefined || this.#isFixed(t))) return outputs;
    return outputs.map((t) => this.#folded(t));
  }

  #folded(t: Tensor): Tensor {
    if (isConstant(t)) return t;
    if (t.shape.some((d) => d < 0)) return t;
    const nodes = nodesOf([t]);
    if (nodes.some((n) => n.op === "Input")) return t;
    const cost = nodes.reduce((sum, n) => sum + n.outputs.reduce((s, o) => s + Math.abs(sizeOf(o.shape)), 0), 0);
    if (nodes.some((n) => n.outputs.some((o) => Math.abs(sizeOf(o.shape)) > LIMITS.constant))) return t;
    this.#left -= cost;
    if (this.#left < 0) throw new Refusal("more constants than a model has");
    const { shape, data } = evaluateExactly(nodes, t);
    return constant(data, shape, t.dtype);
  }
}

/** Evaluates constants; integers stay integers, as Div's quotient does in ONNX. */
function evaluateExactly(nodes: readonly Node[], t: Tensor): NdArray {
  const values = new Map<Node, readonly NdArray[]>();
  for (const node of nodes) {
    if (node.op === "Constant") {
      values.set(node, [constantValue(node)]);
      continue;
    }
    const inputs = node.inputs.map((x) => x && values.get(x.node)?.[x.index]) as NdArray[];
    const result = opDef(node.op).evaluate(inputs, node.attrs, node.inputs as Tensor[]);
    const list = Array.isArray(result) ? (result as readonly NdArray[]) : [result as NdArray];
    values.set(
      node,
      list.map((v, i) => (isFloat(node.outputs[i].dtype) ? v : { shape: v.shape, data: v.data.map(Math.trunc) })),
    );
  }
  return (values.get(t.node) as readonly NdArray[])[t.index];
}
