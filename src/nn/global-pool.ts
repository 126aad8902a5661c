import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { fn } from "./module.ts";

/**
 * [N, C, H, W] to [N, C]: mean or largest of each map; "" leaves the maps. Throws TesseraeError("usage") for a pool
 * that feature maps do not have, and for a classifier of `classes` after no pooling.
 */
export function globalPool(kind = "avg", classes = 0) {
  const usage = (what: string, hint: string) => new TesseraeError("usage", what, { hint });
  if (kind === "" && classes > 0)
    throw usage("without pooling there is no classifier", "Set num_classes=0, or global_pool=avg");
  if (kind !== "avg" && kind !== "max" && kind !== "")
    throw usage(`feature maps are not pooled by ${JSON.stringify(kind)}`, "Set global_pool to avg, max or none at all");
  return fn((x: Tensor) => {
    if (kind === "") return x;
    if (kind === "avg") return x.mean([2, 3]);
    return x.maxPool({ kernel_shape: x.shape.slice(2) }).reshape(x.shape.slice(0, 2));
  });
}
