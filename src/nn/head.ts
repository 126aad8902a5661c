import type { Tensor } from "../graph/tensor.ts";
import { dropout } from "./drop.ts";
import { globalPool } from "./global-pool.ts";
import { type LinearOptions, linear } from "./linear.ts";
import { fn, identity, module } from "./module.ts";
import { layerNorm } from "./norm.ts";

export interface ClassifierHeadOptions extends LinearOptions {
  pool?: string;
  /** Dropout before the classifier. */
  drop?: number;
  /** Maps are [N, H, W, C]; default [N, C, H, W]. */
  channelsLast?: boolean;
}

/** Maps to logits: pooling, dropout and a linear layer under timm's name "fc"; no layer for 0 classes. */
export const classifierHead = (
  dim: number,
  classes: number,
  { pool = "avg", drop = 0, channelsLast = false, ...init }: ClassifierHeadOptions = {},
) =>
  module(
    {
      pool: channelsLast ? poolLast(pool, classes) : globalPool(pool, classes),
      drop: dropout(drop),
      fc: classes > 0 ? linear(dim, classes, init) : identity(),
    },
    (m, x: Tensor) => m.fc(m.drop(m.pool(x))),
  );

/** globalPool of [N, H, W, C]. */
function poolLast(kind: string, classes: number) {
  const pool = globalPool(kind, classes);
  if (kind === "") return identity();
  return kind === "avg"
    ? fn((x: Tensor) => x.mean([1, 2]))
    : fn((x: Tensor) => pool.forward({}, x.transpose([0, 3, 1, 2])));
}

/**
 * Maps [N, C, H, W] to logits by pooling, norm, a hidden tanh layer, dropout and a linear layer, as TensorFlow's
 * MaxViT ends; for 0 classes it gives the hidden layer.
 */
export const normMlpHead = (
  dim: number,
  classes: number,
  {
    hidden,
    epsilon,
    pool = "avg",
    drop = 0,
    ...init
  }: LinearOptions & { hidden: number; epsilon: number; pool?: string; drop?: number },
) =>
  module(
    {
      pool: globalPool(pool, classes),
      norm: layerNorm(dim, { epsilon }),
      pre_logits: module({ fc: linear(dim, hidden, init) }, (m, x: Tensor) => m.fc(x).tanh()),
      drop: dropout(drop),
      fc: classes > 0 ? linear(hidden, classes, init) : identity(),
    },
    (m, x: Tensor) => {
      const pooled = m.pool(x);
      const last = pooled.rank === 4 ? pooled.transpose([0, 2, 3, 1]) : pooled;
      return m.fc(m.drop(m.pre_logits(m.norm(last))));
    },
  );
