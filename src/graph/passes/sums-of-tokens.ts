import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";
import { tokensOfMap } from "./token-maps.ts";

/**
 * Sums over the pixels of a map [N, C, H, W] that is made of tokens [N, H·W, C] (the bias of a depthwise convolution between two linear
 * layers) as sums of the tokens, which lie in the cache where they were computed.
 */
export const sumsOfTokens = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    const [y] = node.outputs;
    if (node.op !== "ReduceSum" || `${node.attrs.axes}` !== "0,2,3") return undefined;
    const tokens = tokensOfMap(inputs[0] as Tensor);
    return tokens && [tokens.sum([0, 1]).reshape(y.shape)];
  });
