import { type CheckCase, opDef, opNames } from "../graph/op.ts";
import { applyAll, input, type Tensor } from "../graph/tensor.ts";
import { type DType, type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { nd } from "./ndarray.ts";

/** One check case made concrete: the operator applied to inputs x0, x1... and their values. */
export interface BuiltCase {
  readonly op: string;
  readonly label: string;
  readonly inputs: readonly (Tensor | undefined)[];
  readonly outputs: readonly Tensor[];
  readonly feeds: ReadonlyMap<string, NdArray>;
}

/** A fixed pseudo-random sequence in [0, 1) (Weyl sequence mixed by multiplication). */
export function* sequence(seed: number): Generator<number, never> {
  for (let i = seed >>> 0; ; i++) {
    let h = Math.imul(i ^ (i >>> 16), 0x45d9f3b);
    h = Math.imul(h ^ (h >>> 16), 0x45d9f3b);
    yield ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
}

/** Values in [-0.5, 0.5), the same for the same seed. */
export function noise(shape: Shape, seed: number): NdArray {
  const random = sequence(seed + 1);
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.next().value - 0.5) };
}

function draw(dtype: DType, [low, high]: readonly [number, number], random: Generator<number, never>): number {
  const v = low + (high - low) * random.next().value;
  if (dtype === "bool") return Number(v > (low + high) / 2);
  return dtype.startsWith("float") ? Math.fround(v) : Math.floor(v);
}

/** Every check case of every operator. */
export function builtCases(): BuiltCase[] {
  return opNames().flatMap((op) => opDef(op).check.map((check, i) => buildCase(op, check, i)));
}

function buildCase(op: string, check: CheckCase<object>, i: number): BuiltCase {
  const random = sequence(1000 * i + op.length);
  const feeds = new Map<string, NdArray>();
  const inputs = check.x.map((given, j) => {
    if (!given) return undefined;
    const dtype = check.dtypes?.[j] ?? "float32";
    const value = "data" in given ? given : nd(given);
    if (!("data" in given))
      for (let k = 0; k < value.data.length; k++) value.data[k] = draw(dtype, check.range ?? [-1, 1], random);
    feeds.set(`x${j}`, value);
    return input(`x${j}`, dtype, value.shape);
  });
  return {
    op,
    label: `${op} #${i}`,
    inputs,
    outputs: applyAll(op, inputs, check.attrs as Record<string, number>),
    feeds,
  };
}
