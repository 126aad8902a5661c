import { TesseraeError } from "../errors.ts";
import type { Tensor } from "./tensor.ts";
import type { NdArray, TensorData, TensorType } from "./types.ts";

/** A graph inside a node: outputs over inputs, which stand for the node's own in their order. */
export interface Body {
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
}

export type Attr = number | string | readonly number[] | NdArray | TensorData | Body | undefined;
export type Attrs = Readonly<Record<string, Attr>>;

/** What a gradient rule sees: inputs x, outputs y, cotangents of the outputs (dy is the first). */
export interface Vjp<A> {
  readonly x: readonly Tensor[];
  readonly y: readonly Tensor[];
  readonly dy: Tensor;
  readonly dys: readonly (Tensor | undefined)[];
  readonly attrs: A;
}

/** Inputs on which an operator is checked: shapes drawn at random from a range, or given arrays. */
export interface CheckCase<A> {
  readonly x: readonly (readonly number[] | NdArray | undefined)[];
  readonly attrs?: A;
  /** Range of the random inputs; default [-1, 1]. */
  readonly range?: readonly [number, number];
  /** Dtype per input; default float32. */
  readonly dtypes?: readonly TensorType["dtype"][];
}

/** One operator: everything the library knows about it. */
export interface OpDef<A = Attrs> {
  /** Output types from input types. Throws TesseraeError("shape"). */
  readonly type: (x: readonly TensorType[], attrs: A) => TensorType | readonly TensorType[];
  /** Cotangents of the inputs; undefined where none flows. Absent: the operator is not differentiable. */
  readonly vjp?: (context: Vjp<A>) => readonly (Tensor | undefined)[];
  /** Plain evaluation in doubles: the referee of finite differences and of the runtime. */
  readonly evaluate: (x: readonly NdArray[], attrs: A, types: readonly TensorType[]) => NdArray | readonly NdArray[];
  readonly check: readonly CheckCase<A>[];
  /** Attributes that ONNX takes as trailing int64 inputs, in input order (Reshape's shape, Slice's starts...). */
  readonly inputAttrs?: readonly string[];
  /** Multiply-accumulates, for operators that are products. */
  readonly macs?: (x: readonly TensorType[], attrs: A, y: readonly TensorType[]) => number;
  /** The same in operators of the exported opset, for one that came later. */
  readonly decompose?: (x: readonly Tensor[], attrs: A) => Tensor;
  /**
   * The same as is faster on a runtime with a blocked layout of B channels, those of a vector register: in that layout
   * (ops/blocked.ts), or as products that registers of that width favour.
   */
  readonly blocked?: (x: readonly Tensor[], attrs: A, block: number) => Tensor | undefined;
  /** Ways to compute it of which now this, now that is fastest, by name (the pass "tuned-forms"). */
  readonly forms?: (x: readonly Tensor[], attrs: A) => Readonly<Record<string, () => Tensor>>;
  /** ONNX domain; default the standard one. */
  readonly domain?: string;
  /** Name in that domain; default the registered one. */
  readonly onnxName?: string;
  /** Attributes that only the evaluation on the host needs: not written. */
  readonly hostAttrs?: readonly string[];
}

const registry = new Map<string, OpDef>();

/** Defines an ONNX operator under its ONNX name. */
export function defineOp<A extends object = Attrs>(name: string, def: OpDef<A>): void {
  if (registry.has(name)) throw new TesseraeError("internal", `operator ${name} is defined twice`);
  registry.set(name, def as unknown as OpDef);
}

export function opDef(name: string): OpDef {
  const def = registry.get(name);
  if (!def)
    throw new TesseraeError("internal", `operator ${name} is not defined`, { hint: "Import ops/index.ts first" });
  return def;
}

export const opNames = (): string[] => [...registry.keys()];
