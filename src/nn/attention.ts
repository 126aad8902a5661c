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
      const [q, k, v] = m.qkv(x).map((t) => splitHeads(t, heads));
      const scores = q.mul(scale).matmul(k.mT()); // [N, heads, L, L]
      const probs = tap("probs", (m.rel_pos ? scores.add(m.rel_pos()) : scores).softmax());
      return m.proj_drop(m.proj(joinHeads(m.attn_drop(probs).matmul(v))));
    },
  );
};
