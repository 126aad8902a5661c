import { opDef } from "../op.ts";
import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";

/**
 * Convolutions, and gradients of depthwise ones, in the runtime's own layout of B channels side by side, where their
 * operators know that it is faster; from tokens and to tokens without plain images in between. Only for a runtime that has
 * the layout, and never in a file.
 */
export const blockedConvolutions = (program: Program, block: number): Program =>
  rewrite(program, (node, inputs) => {
    if (node.op === "Constant" || node.outputs[0].dtype !== "float32") return undefined;
    const blocked = opDef(node.op).blocked?.(inputs as readonly Tensor[], node.attrs, block);
    return blocked && [blocked];
  });
