import { TesseraeError } from "../errors.ts";
import type { NamedSlot } from "../nn/module.ts";

export interface GradientFigures {
  readonly norm: number;
  readonly head: readonly number[];
}

export interface PassFigures {
  readonly loss: number;
  readonly gradients: Readonly<Record<string, GradientFigures>>;
}

/** A classification model's reference figures (shared/fixtures/README.md). */
export interface ModelFixture {
  readonly model: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly input: readonly number[];
  readonly labels: readonly number[];
  readonly tensors: readonly (readonly [name: string, shape: readonly number[], kind: string])[];
  readonly eval: PassFigures & {
    readonly logits_head: readonly (readonly number[])[];
    readonly logits_norm: number;
    readonly features_norm: number;
  };
  readonly train: PassFigures;
  readonly float32_error: {
    readonly logits: number;
    readonly loss: number;
    readonly gradients: number;
    readonly eval_loss: number;
    readonly eval_gradients: number;
  };
}

export interface TrajectoryFixture {
  readonly model: string;
  readonly optimizer: string;
  readonly weight_decay: number;
  readonly no_weight_decay: readonly string[];
  readonly clip_grad_norm: number;
  readonly ema_decay: number;
  readonly label_smoothing: number;
  readonly batch_size: number;
  readonly steps: number;
  readonly lr: readonly number[];
  readonly data: string;
  readonly loss: readonly number[];
  readonly gradient_norm: readonly number[];
  readonly float32_loss: readonly number[];
  readonly tensors: readonly (readonly [name: string, shape: readonly number[]])[];
  readonly final_norms: Readonly<Record<string, number>>;
  readonly final_ema_norms: Readonly<Record<string, number>>;
}

export type Fixture =
  | { kind: "model"; figures: ModelFixture }
  | { kind: "trajectory"; figures: TrajectoryFixture }
  | { kind: "other"; model: string };

/** Tells fixtures apart by what they hold. Throws TesseraeError("data") for anything else. */
export function parseFixture(text: string, where: string): Fixture {
  let json: Record<string, unknown>;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TesseraeError("data", "is not JSON", { where, cause });
  }
  if (typeof json?.model !== "string")
    throw new TesseraeError("data", "is not a fixture: it names no model", { where });
  if (Array.isArray(json.lr) && Array.isArray(json.loss))
    return { kind: "trajectory", figures: json as unknown as TrajectoryFixture };
  if (json.eval && json.train && json.labels && json.input && json.tensors)
    return { kind: "model", figures: json as unknown as ModelFixture };
  return { kind: "other", model: json.model };
}

/** How a model's state-dict table differs from a fixture's. */
export interface TableDifference {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  readonly misshapen: readonly string[];
  /** The same names in another order. */
  readonly reordered: boolean;
}

export function compareTables(
  slots: readonly NamedSlot[],
  tensors: ModelFixture["tensors"] | TrajectoryFixture["tensors"],
): TableDifference {
  const ours = new Map(slots.map((s) => [s.name, s]));
  const theirs = new Map(tensors.map(([name, shape, kind]) => [name, { shape, kind }]));
  const missing = [...theirs.keys()].filter((n) => !ours.has(n));
  const unexpected = [...ours.keys()].filter((n) => !theirs.has(n));
  const misshapen = slots.flatMap(({ name, shape, slot }) => {
    const t = theirs.get(name);
    if (!t || (`${t.shape}` === `${shape}` && (t.kind ?? slot) === slot)) return [];
    return [`${name}: [${shape}] ${slot}, not [${t.shape}] ${t.kind ?? ""}`.trimEnd()];
  });
  const same = missing.length + unexpected.length === 0;
  return { missing, unexpected, misshapen, reordered: same && slots.some((s, i) => s.name !== tensors[i][0]) };
}

export const tablesAgree = (d: TableDifference): boolean =>
  d.missing.length + d.unexpected.length + d.misshapen.length === 0 && !d.reordered;
