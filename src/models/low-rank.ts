import type { Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { defaultWeight, zeros } from "../nn/init.ts";
import { type NamedSlot, parameter } from "../nn/module.ts";

/**
 * Low-rank adapters (Hu et al. 2022, arXiv:2106.09685, section 4.1): a weight W [out, in], left as it is, is used as
 * W + (alpha / rank) · B·A with A [rank, in] and B [out, rank]. A kernel [out, in, h, w] counts as [out, in·h·w].
 */
export interface Adapters {
  readonly rank: number;
  readonly alpha: number;
  /** Weights that have one, by state-dict name. */
  readonly targets: readonly string[];
}

/** State-dict names of A and B: "attn.qkv.lora_A.weight", as peft has them. */
export const adapterNames = (weight: string): readonly [a: string, b: string] => {
  const stem = weight.endsWith(".weight") ? weight.slice(0, -".weight".length) : weight;
  return [`${stem}.lora_A.weight`, `${stem}.lora_B.weight`];
};

/** W + s·B·A, in W's shape. */
export function adapted(weight: Tensor, a: Tensor, b: Tensor, { rank, alpha }: Adapters): Tensor {
  const product = b.mul(alpha / rank).matmul(a);
  return weight.add(product.reshape(weight.shape));
}

/** The slots of a weight's adapter: A drawn as linear layers are, B zero. */
export function adapterSlots({ name, shape }: NamedSlot, rank: number): NamedSlot[] {
  const [a, b] = adapterNames(name);
  const [rows, columns] = [shape[0], sizeOf(shape) / shape[0]];
  return [
    { ...parameter([rank, columns], defaultWeight), name: a },
    { ...parameter([rows, rank], zeros), name: b },
  ];
}
