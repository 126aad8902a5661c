import { opDef } from "./op.ts";
import type { Node, Tensor } from "./tensor.ts";
import { isOperator, nodesOf } from "./walk.ts";

/** Multiply-accumulates of one product (convolution or matrix product); 0 for any other operator. */
export const nodeMacs = (node: Node): number =>
  opDef(node.op).macs?.(node.inputs as readonly Tensor[], node.attrs, node.outputs) ?? 0;

/** Multiply-accumulates that tensors depend on. */
export const countMacs = (outputs: readonly Tensor[]): number =>
  nodesOf(outputs).reduce((sum, node) => sum + (isOperator(node) ? nodeMacs(node) : 0), 0);
