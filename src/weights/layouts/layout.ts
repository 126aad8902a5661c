import { sizeOf } from "../../graph/types.ts";
import { type HostTensor, toFloat32 } from "../host-tensor.ts";

/** What becomes of a tensor on its way: one of several that are joined along the first axis, or a change of its values. */
export interface How {
  /** [index, count]: the q, k and v of a joint weight. */
  readonly part?: readonly [number, number];
  readonly map?: (t: HostTensor) => HostTensor;
}

type Target = string | null | ((captures: readonly string[], names: ReadonlySet<string>) => string | null);

/** Names that match `from` as a whole become `to` ($1, $2... are its groups); null: known, and nothing of ours. */
export type Rule = readonly [from: RegExp, to: Target, how?: How];

/** How another code base names and lays out the weights of models that are ours too. */
export interface Layout {
  readonly name: string;
  /** Names of ours that it may be. */
  readonly models: RegExp;
  /** Is it this one? Judged by names alone. */
  readonly detect: (names: ReadonlySet<string>) => boolean;
  readonly rules: readonly Rule[];
}

/** The q, k or v of three (or k, v of two). */
export const part = (index: number, count: number): How => ({ part: [index, count] });

const float32 = (shape: readonly number[], data: Float32Array): HostTensor => ({ dtype: "float32", shape, data });

/** Axes in another order. */
export const permute =
  (...axes: readonly number[]) =>
  (t: HostTensor): HostTensor => {
    if (t.shape.length !== axes.length) return t;
    const from = toFloat32(t);
    const shape = axes.map((a) => t.shape[a]);
    const strides = axes.map((a) => sizeOf(t.shape.slice(a + 1)));
    const out = new Float32Array(from.length);
    for (let to = 0; to < out.length; to++) {
      let [rest, at] = [to, 0];
      for (let i = axes.length - 1; i >= 0; i--) {
        at += (rest % shape[i]) * strides[i];
        rest = Math.floor(rest / shape[i]);
      }
      out[to] = from[at];
    }
    return float32(shape, out);
  };

/** The first `count` axes as one. */
export const joinFirst =
  (count: number) =>
  (t: HostTensor): HostTensor => ({ ...t, shape: [sizeOf(t.shape.slice(0, count)), ...t.shape.slice(count)] });

/** The axes from `first` on as one. */
export const joinFrom =
  (first: number) =>
  (t: HostTensor): HostTensor => ({ ...t, shape: [...t.shape.slice(0, first), sizeOf(t.shape.slice(first))] });

/** Every value plus a number. */
export const plus =
  (amount: number) =>
  (t: HostTensor): HostTensor =>
    float32(
      t.shape,
      toFloat32(t).map((v) => v + amount),
    );

export const chain =
  (...maps: readonly ((t: HostTensor) => HostTensor)[]) =>
  (t: HostTensor): HostTensor =>
    maps.reduce((value, map) => map(value), t);
