import { TesseraeError } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { adaptiveAvgPool } from "./adaptive-pool.ts";
import { joinHeads, splitHeads } from "./attention.ts";
import { type ConvOptions, conv2d } from "./conv.ts";
import { dropout } from "./drop.ts";
import { linear, splitLinear } from "./linear.ts";
import { type Init, module, tap } from "./module.ts";
import { layerNorm } from "./norm.ts";
import type { Size } from "./size.ts";
import { toMap, toTokens } from "./tokens.ts";

export interface SrAttentionOptions {
  /** Side R of the patches that become one key and value; 1: every token is one. */
  srRatio?: number;
  /** Instead, keys and values from the map pooled to this side (PVT v2's linear attention). */
  poolTo?: number;
  qkvBias?: boolean;
  attnDrop?: number;
  projDrop?: number;
  weightInit?: Init;
  biasInit?: Init;
  /** Initialisation of the reducing convolution. */
  convInit?: Pick<ConvOptions, "weightInit" | "biasInit">;
}

/**
 * Spatial-reduction attention (PVT, eqs. 2 to 4): tokens [N, H·W, C] ask a reduced map,
 * SR(x) = norm(conv(x)) with kernel = stride = R, so that scores cost R² times less; or linear attention (PVT v2,
 * section 3.2): gelu(norm(conv1x1(pool(x)))), whose cost grows linearly with the image.
 */
export const srAttention = (dim: number, heads: number, options: SrAttentionOptions = {}) => {
  const { srRatio = 1, poolTo, qkvBias = true, attnDrop = 0, projDrop = 0, weightInit, biasInit, convInit } = options;
  if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
  const kernel = poolTo ? 1 : srRatio;
  const reduces = poolTo !== undefined || srRatio > 1;
  return module(
    {
      q: linear(dim, dim, { bias: qkvBias, weightInit, biasInit }),
      kv: splitLinear(dim, dim, 2, { bias: qkvBias, weightInit, biasInit }),
      attn_drop: dropout(attnDrop),
      proj: linear(dim, dim, { weightInit, biasInit }),
      proj_drop: dropout(projDrop),
      sr: reduces ? conv2d(dim, dim, kernel, { stride: kernel, padding: 0, ...convInit }) : undefined,
      norm: reduces ? layerNorm(dim, { epsilon: 1e-5 }) : undefined,
    },
    (m, x: Tensor, grid: Size) => {
      const reduce = (y: Tensor): Tensor => {
        if (!m.sr || !m.norm) return y;
        const map = toMap(y, grid);
        const z = m.norm(toTokens(m.sr(poolTo ? adaptiveAvgPool(map, poolTo) : map)));
        return poolTo ? z.gelu() : z;
      };
      const q = tap("q", splitHeads(m.q(x), heads)).mul((dim / heads) ** -0.5);
      const [k, v] = m.kv(reduce(x)).map((t, i) => tap("kv"[i], splitHeads(t, heads)));
      const probs = tap("probs", q.matmul(k.mT()).softmax()); // [N, heads, H·W, H·W / R²]
      return m.proj_drop(m.proj(joinHeads(m.attn_drop(probs).matmul(v))));
    },
  );
};
