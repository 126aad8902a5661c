import { TesseraeError } from "../errors.ts";
import { constantValue } from "../graph/evaluate.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type TensorProto,
} from "../graph/onnx_pb.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, showShape } from "../graph/types.ts";
import { isSymbolic } from "./batch.ts";

/** Why one node cannot be imported; the reader collects them all. */
export class Refusal extends Error {}

/** One node of a file on its way into the graph: operands, attributes and what the file says around it. */
export class Call {
  readonly op: string;
  readonly opset: number;
  readonly x: readonly (Tensor | undefined)[];
  /** How many outputs the file names. */
  readonly outputs: number;
  /** The batch that the file was written for, where it is a number. */
  readonly hard?: number;
  readonly #attributes: ReadonlyMap<string, AttributeProto>;

  constructor(
    node: { op: string; opset: number; attributes: readonly AttributeProto[]; outputs: number; hard?: number },
    x: readonly (Tensor | undefined)[],
  ) {
    this.op = node.op;
    this.opset = node.opset;
    this.outputs = node.outputs;
    this.hard = node.hard;
    this.x = x;
    this.#attributes = new Map(node.attributes.map((a) => [a.name, a]));
  }

  /** Operand i. Throws where the file leaves it out. */
  in(i: number): Tensor {
    const t = this.x[i];
    if (!t) throw new TesseraeError("weights", `${this.op} lacks its input ${i + 1}`);
    return t;
  }

  has(name: string): boolean {
    return this.#attributes.has(name);
  }

  int(name: string, otherwise: number): number {
    const a = this.#of(name, AttributeType.INT);
    return a ? Number(a.i) : otherwise;
  }

  float(name: string, otherwise: number): number {
    const a = this.#of(name, AttributeType.FLOAT);
    return a ? a.f : otherwise;
  }

  string(name: string, otherwise: string): string {
    const a = this.#of(name, AttributeType.STRING);
    return a ? new TextDecoder().decode(a.s) : otherwise;
  }

  ints(name: string): readonly number[] | undefined {
    return this.#of(name, AttributeType.INTS)?.ints.map(Number);
  }

  floats(name: string): readonly number[] | undefined {
    const a = this.#of(name, AttributeType.FLOATS);
    return a && [...a.floats];
  }

  tensor(name: string): TensorProto | undefined {
    return this.#of(name, AttributeType.TENSOR)?.t;
  }

  #of(name: string, type: AttributeType): AttributeProto | undefined {
    const a = this.#attributes.get(name);
    if (a && a.type !== type && a.type !== AttributeType.UNDEFINED)
      throw new TesseraeError("weights", `attribute ${name} of ${this.op} is of another type`);
    return a;
  }

  /** Values of operand i, which must be known before the model runs; undefined where the file leaves it out. */
  array(i: number): NdArray | undefined {
    const t = this.x[i];
    return t && valuesOf(t, this.op);
  }

  values(i: number): readonly number[] | undefined {
    const array = this.array(i);
    return array && [...array.data];
  }

  /** A setting that newer opsets take as operand i and older ones as an attribute. */
  list(i: number, attribute: string): readonly number[] | undefined {
    return this.values(i) ?? this.ints(attribute);
  }

  scalar(i: number): number | undefined {
    return this.values(i)?.[0];
  }
}

/** The value of a tensor that depends on no image. */
export function valuesOf(t: Tensor, op: string): NdArray {
  if (t.node.op !== "Constant") throw new Refusal(`${op} of a size or an index that depends on the image`);
  return constantValue(t.node);
}

export const isConstant = (t: Tensor | undefined): boolean => t?.node.op === "Constant";

/** The value of a constant of one element, whatever its rank. */
export function scalarOf(t: Tensor | undefined): number | undefined {
  if (t?.node.op !== "Constant" || t.size !== 1) return undefined;
  const [v] = constantValue(t.node).data;
  return isSymbolic(v) ? undefined : v;
}

/** Refuses an operator along an axis that holds the batch. */
export function withinSamples(shape: Shape, axes: readonly number[], op: string): void {
  if (axes.some((a) => shape[a] < 0))
    throw new Refusal(`${op} across the images of a batch, ${showShape(shape)} along [${axes}]`);
}

export const scalarConstant = (v: number, like: Tensor): Tensor => constant(v, [], like.dtype);

/** Turns one node into tensors of our operators. */
export type Adapter = (call: Call) => Tensor | readonly Tensor[];
export type Adapters = Readonly<Record<string, Adapter>>;
