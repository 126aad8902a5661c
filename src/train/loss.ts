import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { showShape } from "../graph/types.ts";

/** (1 - ε) · target + ε / K (Szegedy et al. 2016, section 7). */
export const smooth = (target: Tensor, smoothing: number): Tensor =>
  smoothing === 0 ? target : target.mul(1 - smoothing).add(smoothing / target.shape[1]);

/** Mean over the batch of -Σ target ⊙ log softmax(logits); logits and target [N, K], target a distribution. */
export function crossEntropy(logits: Tensor, target: Tensor): Tensor {
  if (logits.rank !== 2)
    throw new TesseraeError("shape", `the loss takes logits [N, classes], not ${showShape(logits.shape)}`);
  return target
    .mul(logits.logSoftmax(1))
    .sum()
    .mul(-1 / logits.shape[0]);
}

/** Rows of the identity: labels to targets [N, K]; a label outside [0, K) gives a row of zeros. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const target = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++)
    if (labels[i] >= 0 && labels[i] < classes) target[i * classes + labels[i]] = 1;
  return target;
}
