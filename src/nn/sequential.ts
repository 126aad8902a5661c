import type { Tensor } from "../graph/tensor.ts";
import { type Activation, activation } from "./activation.ts";
import { type AnyModule, fn, type Module, module } from "./module.ts";

/** A layer of one tensor. */
export type Layer = Module<[x: Tensor], Tensor>;

/** One layer after another; children are named 0, 1, 2... as in PyTorch. */
export const sequential = (...layers: readonly Layer[]): Layer =>
  module(Object.fromEntries(layers.map((layer, i) => [i, layer as AnyModule])), (m, x: Tensor) => {
    for (let i = 0; i < layers.length; i++) x = (m[i] as unknown as (x: Tensor) => Tensor)(x);
    return x;
  });

/** fn(x) + x; without the skip, fn(x) under the same name. */
export const residual = (layer: Layer, skip = true): Layer =>
  module({ fn: layer }, (m, x: Tensor) => (skip ? m.fn(x).add(x) : m.fn(x)));

/** An activation as a layer. */
export const act = (name: Activation): Layer => fn(activation(name));
