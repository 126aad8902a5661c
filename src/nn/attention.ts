import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { dropout } from "./drop.ts";
import { linear, splitLinear } from "./linear.ts";
import { type AnyModule, type Init, type Module, module, tap } from "./module.ts";

export interface AttentionOptions {
  qkvBias?: boolean;
  attnDrop?: number;
  projDrop?: number;
  weightInit?: Init;
  biasInit?: Init;
  /** Adds to the scores [heads, L, L], as relative position bias does. */
  scoreBias?: Module<[], Tensor>;
}

/** [N, L, heads·d] to [N, heads, L, d]. */
export const splitHeads = (x: Tensor, heads: number): Tensor =>
  x.reshape([x.shape[0], x.shape[1], heads, x.shape[2] / heads]).transpose([0, 2, 1, 3]);

/** [N, heads, L, d] to [N, L, heads·d]. */
export const joinHeads = (x: Tensor): Tensor => {
  const [n, heads, length, d] = x.shape;
  return x.transpose([0, 2, 1, 3]).reshape([n, length, heads * d]);
};

export interface AttendOptions {
  /** Adds to the scores: [heads, L, L], or [n, heads, L, L] for each n neighbours of the batch (windows of an image). */
  bias?: Tensor;
  /** Dropout of the probabilities. */
  drop?: (probs: Tensor) => Tensor;
}

/** softmax(q kᵀ + bias) v of [N, heads, L, d], with q scaled before. */
export function attend(q: Tensor, k: Tensor, v: Tensor, { bias, drop = (t) => t }: AttendOptions = {}): Tensor {
  const scores = tap("scores", q.matmul(k.mT())); // [N, heads, L, L]
  const probs = tap("probs", (bias ? addByGroup(scores, bias) : scores).softmax());
  return drop(probs).matmul(v);
}

function addByGroup(scores: Tensor, bias: Tensor): Tensor {
  if (bias.rank < scores.rank) return scores.add(bias);
  const groups = scores.reshape([scores.shape[0] / bias.shape[0], ...bias.shape]);
  return groups.add(bias).reshape(scores.shape);
}

/** Multi-head self-attention (Vaswani et al. 2017): softmax(q kᵀ / √d + bias) v, then a projection. */
export const attention = (dim: number, heads: number, options: AttentionOptions = {}) => {
  const { qkvBias = true, attnDrop = 0, projDrop = 0, weightInit, biasInit, scoreBias } = options;
  if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
  const scale = (dim / heads) ** -0.5;
  return module(
    {
      qkv: splitLinear(dim, dim, 3, { bias: qkvBias, weightInit, biasInit }),
      attn_drop: dropout(attnDrop),
      proj: linear(dim, dim, { weightInit, biasInit }),
      proj_drop: dropout(projDrop),
      rel_pos: scoreBias as AnyModule | undefined,
    },
    (m, x: Tensor) => {
      const [q, k, v] = m.qkv(x).map((t, i) => tap("qkv"[i], splitHeads(t, heads)));
      return m.proj_drop(m.proj(joinHeads(attend(q.mul(scale), k, v, { bias: m.rel_pos?.(), drop: m.attn_drop }))));
    },
  );
};
