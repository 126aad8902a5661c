import { opDef } from "../op.ts";
import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";

/** Replaces operators that the exported opset lacks by what they are made of. */
export const decompose = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    if (node.op === "Constant") return undefined;
    const parts = opDef(node.op).decompose?.(inputs as readonly Tensor[], node.attrs);
    return parts && [parts];
  });
