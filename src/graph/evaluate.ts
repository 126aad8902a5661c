import { TesseraeError } from "../errors.ts";
import { opDef } from "./op.ts";
import type { Node, Tensor } from "./tensor.ts";
import { type NdArray, type TensorData, toDoubles } from "./types.ts";
import { nodesOf } from "./walk.ts";

/** Value of a Constant node in doubles. */
export function constantValue(node: Node): NdArray {
  const { shape, data } = node.attrs.value as NdArray | TensorData;
  return { shape, data: data instanceof Float64Array ? data : toDoubles(data) };
}

/** Evaluates tensors in doubles on the host, operator by operator: the referee, not the engine. */
export function evaluate(outputs: readonly Tensor[], feeds: ReadonlyMap<string, NdArray> = new Map()): NdArray[] {
  const values = new Map<Node, readonly NdArray[]>();
  for (const node of nodesOf(outputs)) values.set(node, evaluateNode(node, values, feeds));
  return outputs.map((t) => (values.get(t.node) as readonly NdArray[])[t.index]);
}

function evaluateNode(
  node: Node,
  values: ReadonlyMap<Node, readonly NdArray[]>,
  feeds: ReadonlyMap<string, NdArray>,
): readonly NdArray[] {
  if (node.op === "Constant") return [constantValue(node)];
  if (node.op === "Input") {
    const value = feeds.get(node.attrs.name as string);
    if (!value) throw new TesseraeError("internal", `no value for the input ${node.attrs.name}`);
    return [value];
  }
  const inputs = node.inputs.map((t) => t && values.get(t.node)?.[t.index]) as NdArray[];
  const result = opDef(node.op).evaluate(inputs, node.attrs, node.inputs as Tensor[]);
  return Array.isArray(result) ? result : [result as NdArray];
}
