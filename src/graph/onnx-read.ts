import { TesseraeError } from "../errors.ts";
import { constantValue } from "./evaluate.ts";
import { decodeProto, joinChunks, type OnnxModel } from "./onnx.ts";
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  type NodeProto,
  type ValueInfoProto,
} from "./onnx_pb.ts";
import { dtypeOf, tensorOf } from "./onnx-tensor.ts";
import { type Attr, opDef, opNames } from "./op.ts";
import { type Program, program } from "./program.ts";
import { applyAll, constantData, input, type Tensor, withScope } from "./tensor.ts";
import { type Shape, sizeOf } from "./types.ts";

const broken = (what: string, where?: string): TesseraeError => new TesseraeError("weights", what, { where });

/**
 * Reads an ONNX model of our operators back into a program: the inverse of `encodeModel`. Throws TesseraeError("weights")
 * for bytes that are no model, and TesseraeError("model") naming the operators that are unknown.
 */
export function decodeModel({ model, external }: OnnxModel): Program {
  const { graph } = decodeProto(model);
  if (!graph) throw broken("the ONNX model has no graph");
  const known = new Set([...opNames(), "Identity"]);
  const unknown = [...new Set(graph.node.map((n) => n.opType).filter((op) => !known.has(op)))];
  if (unknown.length) throw new TesseraeError("model", `operators that are not supported: ${unknown.join(", ")}`);
  const files = new Map(external ? [[external.location, joinChunks(external.chunks)]] : []);
  const values = new Map<string, Tensor>();
  for (const t of graph.initializer) values.set(t.name, constantData(tensorOf(t, files)));
  const inputs = graph.input.filter((v) => !values.has(v.name)).map((v) => inputOf(v));
  inputs.forEach((t) => void values.set(t.node.attrs.name as string, t));
  for (const node of graph.node) readNode(node, values);
  return program(graph.name, outputsOf(graph, values), inputs);
}

function outputsOf(graph: GraphProto, values: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map(graph.output.map(({ name }) => [name, lookUp(name, values)]));
}

function lookUp(name: string, values: ReadonlyMap<string, Tensor>): Tensor {
  const t = values.get(name);
  if (!t) throw broken(`nothing computes ${JSON.stringify(name)} before it is read`);
  return t;
}

function inputOf({ name, type }: ValueInfoProto): Tensor {
  if (type?.value.case !== "tensorType") throw broken(`the input ${name} is not a tensor`);
  const { elemType, shape } = type.value.value;
  const dims = (shape?.dim ?? []).map(({ value }) => {
    if (value.case === "dimValue") return Number(value.value);
    const free = /^(\d*)N$/.exec(value.case === "dimParam" ? value.value : "");
    if (!free) throw broken(`an axis of the input ${name} has no size that is known`);
    return -Number(free[1] || 1);
  });
  return input(name, dtypeOf(elemType, name), dims);
}

function readNode(node: NodeProto, values: Map<string, Tensor>): void {
  const inputs = node.input.map((name) => (name === "" ? undefined : lookUp(name, values)));
  const scope = node.name.includes("/") ? node.name.slice(0, node.name.lastIndexOf("/")) : "";
  const outputs =
    node.opType === "Identity"
      ? [inputs[0] as Tensor]
      : withScope(scope === "main" ? "" : scope, () => applyAll(node.opType, ...operandsOf(node, inputs)));
  node.output.forEach((name, i) => {
    if (name !== "") values.set(name, outputs[i]);
  });
}

/** Tensor operands and attributes, with the inputs that the library keeps as attributes among the latter. */
function operandsOf(node: NodeProto, inputs: (Tensor | undefined)[]): [(Tensor | undefined)[], Record<string, Attr>] {
  const attrs = Object.fromEntries(node.attribute.map((a) => [a.name, attributeOf(a)]));
  const listed = opDef(node.opType).inputAttrs ?? [];
  if (listed.length === 0) return [inputs, attrs];
  const operands = inputs.slice(0, 1);
  listed.forEach((key, i) => {
    const t = inputs[1 + i];
    if (t) attrs[key] = staticValues(t, `${node.opType} ${node.name}`);
  });
  const x = operands[0] as Tensor;
  if (node.opType === "Reshape") attrs.shape = reshaped(x.shape, attrs.shape as number[]);
  if (node.opType === "Expand") attrs.shape = expanded(x.shape, attrs.shape as number[]);
  const value = node.opType === "Pad" ? inputs[2] : undefined;
  if (value) [attrs.value] = staticValues(value, node.name);
  return [operands, attrs];
}

function staticValues(t: Tensor, where: string): number[] {
  if (t.node.op !== "Constant")
    throw new TesseraeError("model", "takes a size that is computed at run time", { where });
  return [...constantValue(t.node).data];
}

/** ONNX's 0 (the same) and -1 (what is left) as sizes. */
function reshaped(from: Shape, to: readonly number[]): number[] {
  const copied = to.map((d, i) => (d === 0 ? from[i] : d));
  const known = sizeOf(copied.filter((d) => d !== -1));
  return copied.map((d) => (d === -1 ? sizeOf(from) / known : d));
}

/** ONNX's Expand broadcasts both ways: 1 keeps the input's size. */
const expanded = (from: Shape, to: readonly number[]): number[] =>
  to.map((d, i) => (d === 1 ? (from[i - to.length + from.length] ?? 1) : d));

function attributeOf(a: AttributeProto): Attr {
  if (a.name === "to") return dtypeOf(Number(a.i), "Cast");
  switch (a.type) {
    case AttributeType.FLOAT:
      return a.f;
    case AttributeType.INT:
      return Number(a.i);
    case AttributeType.STRING:
      return new TextDecoder().decode(a.s);
    case AttributeType.INTS:
      return a.ints.map(Number);
    case AttributeType.FLOATS:
      return [...a.floats];
    default:
      throw new TesseraeError("model", `attribute ${a.name} is of a kind that is not supported`);
  }
}
