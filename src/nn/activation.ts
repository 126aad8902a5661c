import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Activations by timm's names. */
export const activations = {
  gelu: (x: Tensor) => x.gelu(),
  gelu_tanh: (x: Tensor) => x.geluTanh(),
  relu: (x: Tensor) => x.relu(),
  relu6: (x: Tensor) => x.clip(0, 6),
  silu: (x: Tensor) => x.silu(),
  sigmoid: (x: Tensor) => x.sigmoid(),
  tanh: (x: Tensor) => x.tanh(),
  hard_swish: (x: Tensor) => x.hardSwish(),
  hard_sigmoid: (x: Tensor) => x.hardSigmoid(),
  identity: (x: Tensor) => x,
} as const;

export type Activation = keyof typeof activations;

export function activation(name: Activation): (x: Tensor) => Tensor {
  const f = activations[name];
  if (!f)
    throw new TesseraeError("usage", `unknown activation ${name}`, {
      hint: `Known: ${Object.keys(activations).join(", ")}`,
    });
  return f;
}
