import { nodeMacs } from "../graph/macs.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { isOperator, nodesOf } from "../graph/walk.ts";
import type { Model } from "./model.ts";
import { countParameters, imageInput, traceModule } from "./trace.ts";

export interface Statistics {
  /** Trained values. */
  readonly parameters: number;
  /** Multiply-accumulates of one image, in units of 1e9: convolutions and matrix products. */
  readonly gmacs: number;
  /** Values that convolutions and matrix products put out for one image, in units of 1e6, as timm counts activations. */
  readonly activations: number;
}

/** Counts from the traced graph; nothing is run. */
export function statistics(model: Model): Statistics {
  let [macs, activations] = [0, 0];
  for (const node of nodesOf([traceImage(model)])) {
    const each = productMacs(node);
    macs += each;
    if (each > 0) activations += sizeOf(node.outputs[0].shape);
  }
  return { parameters: countParameters(model), gmacs: macs / 1e9, activations: activations / 1e6 };
}

/** Logits of one image, symbolic. */
export const traceImage = (model: Model): Tensor =>
  traceModule(model.forward, imageInput(model, 1), { training: false, source: "inputs" }).output;

/** Multiply-accumulates of any node; 0 where it is no product. */
export const productMacs = (node: Node): number => (isOperator(node) ? nodeMacs(node) : 0);
