import type { Tensor } from "../../graph/tensor.ts";
import type { TensorData } from "../../graph/types.ts";
import type { Model } from "../../models/model.ts";
import { toFloat32 } from "../../weights/host-tensor.ts";
import { lacks, type Picture } from "../figure.ts";
import { answer, floats, type Inside, type Subject } from "../subject.ts";

/** Inner tensors that a lecture reads, by names of its own. */
export type Wanted = Readonly<Record<string, Tensor | undefined>>;

/** Values and shapes of what was read. */
export interface Read {
  values(name: string): Float32Array;
  shape(name: string): readonly number[];
}

/** Runs the image once and reads what `want` names. Throws TesseraeError("model") where the model has not all of it. */
export async function read(
  subject: Subject,
  picture: Picture,
  want: (of: Inside) => Wanted,
  what: string,
): Promise<Read> {
  const shapes = new Map<string, readonly number[]>();
  const result = await answer(subject, { images: picture.input, classes: [0] }, (of) => {
    const tensors = Object.entries({ ...want(of), logits: of.logits }).map(([name, t]) => {
      if (!t) throw lacks(subject.model, `no ${what}, which this lecture follows (${name})`);
      shapes.set(name, t.shape);
      return [name, t] as const;
    });
    return new Map(tensors);
  });
  return { values: (name) => floats(result, name), shape: (name) => shapes.get(name) ?? [] };
}

/** A weight of the model, float32; undefined where it has none of the name. */
export function weightOf(
  { weights }: Subject,
  name: string,
): { values: Float32Array; shape: readonly number[] } | undefined {
  const found: TensorData | undefined = weights.get(name);
  return found && { values: toFloat32(found), shape: found.shape };
}

/** The patch that is followed. Throws TesseraeError("model") for one that is not there. */
export function chosen(model: Model, count: number, patch: number): number {
  if (patch >= 0 && patch < count) return patch;
  throw lacks(model, `${count} patches here, from 0: there is no patch ${patch}`);
}

/** What an operator was given. */
export const given = (t: Tensor | undefined, index: number): Tensor | undefined => t?.node.inputs[index];
