import type { Tensor } from "../graph/tensor.ts";
import { constantInit } from "./init.ts";
import { identity, module, parameter } from "./module.ts";

/**
 * γ ⊙ x per channel of the last axis (Touvron et al. 2021, Going deeper with image transformers, eq. 4); nothing for
 * an initial value of null.
 */
export const layerScale = (dim: number, initial: number | null) =>
  initial === null
    ? identity()
    : module({ gamma: parameter([dim], constantInit(initial)) }, (m, x: Tensor) => x.mul(m.gamma));
