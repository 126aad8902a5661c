import type { Tensor } from "../tensor.ts";
import { sourceOf } from "../walk.ts";

/** Whether a permutation exchanges tokens and channels of [N, H·W, C]. */
export const isSwap = (perm: unknown): boolean => `${perm}` === "0,2,1";

/** The tokens [N, H·W, C] of which x [N, C, H, W], or x [N, C, H·W], is the map. */
export function tokensOfMap(x: Tensor): Tensor | undefined {
  const t = sourceOf(x);
  const sameChannels = t.rank === 3 && t.shape[0] === x.shape[0] && t.shape[1] === x.shape[1];
  return t.node.op === "Transpose" && isSwap(t.node.attrs.perm) && sameChannels
    ? (t.node.inputs[0] as Tensor)
    : undefined;
}
