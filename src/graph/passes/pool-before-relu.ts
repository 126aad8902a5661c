import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { applyAll, type Tensor } from "../tensor.ts";
import { readOnceFor } from "../walk.ts";

/**
 * max over a window of relu(x) = relu(max over it of x): the activation and its gradient work on the pooled map, a quarter of
 * the elements at stride 2. Where a window has nothing above zero, the pixel that is found differs and its gradient is zero.
 */
export function poolBeforeRelu(program: Program): Program {
  const readOnce = readOnceFor(program.outputs.values());
  return rewrite(program, ({ op, attrs, inputs: [x] }, _, mapped) => {
    if (op !== "MaxPool" || x?.node.op !== "Relu" || !readOnce(x)) return undefined;
    const [y, indices] = applyAll("MaxPool", [mapped(x.node.inputs[0] as Tensor)], attrs);
    return [y.relu(), indices];
  });
}
