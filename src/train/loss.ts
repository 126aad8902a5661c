import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { showShape } from "../graph/types.ts";

/** Binary cross-entropy of every class on its own (Wightman et al. 2021, arXiv:2110.00476, section 4). */
export interface BceOptions {
  /** Targets above it are 1, others 0: mixed images then hold both classes. */
  readonly threshold?: number;
  /** Sum over the classes instead of their mean. */
  readonly sum?: boolean;
}

/** Knowledge distillation (Touvron et al. 2021, section 4). */
export interface DistillationOptions {
  /** soft: towards the teacher's distribution (eq. 2); hard: towards its best class (eq. 3). */
  readonly type: "soft" | "hard";
  /** Part of the distillation's loss in the whole. */
  readonly alpha: number;
  /** Temperature of the soft form. */
  readonly tau: number;
}

export interface LossOptions {
  /** Label smoothing. */
  readonly smoothing?: number;
  /** Absent: cross-entropy. */
  readonly bce?: BceOptions;
  readonly distillation?: DistillationOptions;
}

/** What a model says in training: logits [N, K]; `distilled` where a distillation token has a head of its own. */
export interface Answers {
  readonly logits: Tensor;
  readonly distilled?: { readonly head: Tensor; readonly distillation: Tensor };
}

/**
 * The loss of a batch [], from targets [N, K] (distributions over the classes) and, for distillation, the teacher's
 * logits [N, K]. With a distillation token the labels teach the class token's head, the teacher the other.
 */
export function lossOf(answers: Answers, target: Tensor, teacher: Tensor | undefined, options: LossOptions): Tensor {
  const { smoothing = 0, bce, distillation } = options;
  const base = (logits: Tensor): Tensor => {
    const smoothed = smooth(target, smoothing);
    return bce ? binaryCrossEntropy(logits, smoothed, bce) : crossEntropy(logits, smoothed);
  };
  if (!distillation || !teacher) return base(answers.logits);
  const { alpha, type, tau } = distillation;
  const { head = answers.logits, distillation: student = answers.logits } = answers.distilled ?? {};
  const taught = type === "hard" ? crossEntropy(student, bestOf(teacher)) : softDistillation(student, teacher, tau);
  return base(head)
    .mul(1 - alpha)
    .add(taught.mul(alpha));
}

/** (1 - ε) · target + ε / K (Szegedy et al. 2016, section 7). */
export const smooth = (target: Tensor, smoothing: number): Tensor =>
  smoothing === 0 ? target : target.mul(1 - smoothing).add(smoothing / target.shape[1]);

/** Mean over the batch of -Σ target ⊙ log softmax(logits); logits and target [N, K], target a distribution. */
export function crossEntropy(logits: Tensor, target: Tensor): Tensor {
  checkLogits(logits);
  return target
    .mul(logits.logSoftmax(1))
    .sum()
    .mul(-1 / logits.shape[0]);
}

/** Mean over batch and classes of softplus(x) - y · x = -y log σ(x) - (1 - y) log(1 - σ(x)). */
export function binaryCrossEntropy(logits: Tensor, target: Tensor, { threshold, sum = false }: BceOptions): Tensor {
  checkLogits(logits);
  const y = threshold === undefined ? target : target.greater(threshold).cast("float32");
  const [batch, classes] = logits.shape;
  return logits
    .softplus()
    .sub(y.mul(logits))
    .sum()
    .mul(1 / (sum ? batch : batch * classes));
}

/** τ² · KL(softmax(teacher / τ) ‖ softmax(student / τ)), averaged over batch and classes as DeiT's code does. */
function softDistillation(student: Tensor, teacher: Tensor, tau: number): Tensor {
  const wanted = teacher.mul(1 / tau).logSoftmax(1);
  const [batch, classes] = student.shape;
  return wanted
    .exp()
    .mul(wanted.sub(student.mul(1 / tau).logSoftmax(1)))
    .sum()
    .mul(tau ** 2 / (batch * classes));
}

/** One in the place of each row's largest, shared among equals. */
function bestOf(teacher: Tensor): Tensor {
  const best = teacher.equal(teacher.amax([1], true)).cast("float32");
  return best.div(best.sum([1], true));
}

function checkLogits(logits: Tensor): void {
  if (logits.rank !== 2)
    throw new TesseraeError("shape", `the loss takes logits [N, classes], not ${showShape(logits.shape)}`);
}

/** Rows of the identity: labels to targets [N, K]; a label outside [0, K) gives a row of zeros. */
export function oneHot(labels: ArrayLike<number>, classes: number): Float32Array {
  const target = new Float32Array(labels.length * classes);
  for (let i = 0; i < labels.length; i++)
    if (labels[i] >= 0 && labels[i] < classes) target[i * classes + labels[i]] = 1;
  return target;
}
