import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { TesseraeError } from "../errors.ts";
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "./onnx_pb.ts";
import { type Attr, type Body, opDef } from "./op.ts";
import { decompose } from "./passes/decompose.ts";
import { inputName, type Program } from "./program.ts";
import type { Node, Tensor } from "./tensor.ts";
import { type DType, fromDoubles, type NdArray, type Shape, sizeOf, type TensorData } from "./types.ts";
import { isOperator, nodesOf } from "./walk.ts";

/** Opset of exported files. */
export const OPSET = 18n;

export const DATA_TYPES: Record<DType, DataType> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int64: DataType.INT64,
  int32: DataType.INT32,
  int16: DataType.INT16,
  int8: DataType.INT8,
  uint64: DataType.UINT64,
  uint32: DataType.UINT32,
  uint16: DataType.UINT16,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
};

/** Attributes that are floats in ONNX even when their value is whole. */
const FLOAT_ATTRIBUTES = new Set(["alpha", "beta", "epsilon", "momentum", "gamma", "lambd", "bias", "cubic_coeff_a"]);

/** An encoded model; `external` holds the weights that do not fit into a protobuf, as consecutive chunks of one file. */
export interface OnnxModel {
  readonly model: Uint8Array;
  readonly external?: { readonly location: string; readonly chunks: readonly Uint8Array[] };
}

export interface EncodeOptions {
  readonly metadata?: Readonly<Record<string, string>>;
  /** File name for weights kept outside the protobuf; used above `externalAbove` bytes of constants. */
  readonly externalLocation?: string;
  /** Default 1.9 GB: a protobuf ends at 2 GB. */
  readonly externalAbove?: number;
}

/** Writes a program as ONNX. Weights (constants) become initializers; a free batch is the symbol "N". */
export function encodeModel(original: Program, options: EncodeOptions = {}): OnnxModel {
  const program = decompose(original);
  const nodes = nodesOf(program.outputs.values());
  const constants = nodes.filter((n) => n.op === "Constant");
  const bytes = constants.reduce((sum, n) => sum + sizeOf(n.outputs[0].shape) * 4, 0);
  const external = bytes > (options.externalAbove ?? 1.9e9) ? new ExternalData(options.externalLocation) : undefined;
  const writer = new Writer(program, nodes, external);
  const graph = {
    name: program.name,
    node: writer.nodes,
    initializer: writer.initializers,
    input: program.inputs.map((t) => valueInfo(inputName(t), t)),
    output: [...program.outputs].map(([name, t]) => valueInfo(name, t)),
  };
  const opsetImport = [...writer.domains].map((domain) => ({ domain, version: domain === "" ? OPSET : 1n }));
  const metadataProps = Object.entries(options.metadata ?? {}).map(([key, value]) => ({ key, value }));
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: "tesserae",
    opsetImport,
    graph,
    metadataProps,
  });
  return {
    model: toBinary(ModelProtoSchema, model),
    external: external && { location: external.location, chunks: external.chunks },
  };
}

/** Metadata properties of an ONNX file. Throws TesseraeError("weights") for bytes that are no ONNX model. */
export function readMetadata(bytes: Uint8Array): Map<string, string> {
  return new Map(decodeProto(bytes).metadataProps.map(({ key, value }) => [key, value]));
}

export function decodeProto(bytes: Uint8Array) {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    throw new TesseraeError("weights", "the bytes are not an ONNX model", { cause });
  }
}

/** Consecutive chunks as one array; a single one is not copied. */
export function joinChunks(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const all = new Uint8Array(chunks.reduce((n, c) => n + c.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

/** Collects large tensors, each aligned to 64 bytes, for a file beside the model. */
class ExternalData {
  readonly location: string;
  readonly chunks: Uint8Array[] = [];
  #offset = 0;

  constructor(location = "model.onnx.data") {
    this.location = location;
  }

  add(bytes: Uint8Array): { offset: number; length: number } {
    const padding = -this.#offset & 63;
    if (padding) this.chunks.push(new Uint8Array(padding));
    const offset = this.#offset + padding;
    this.chunks.push(bytes);
    this.#offset = offset + bytes.length;
    return { offset, length: bytes.length };
  }
}

class Writer {
  /** Of the graph that is being written: the program's, or a body's for a while. */
  nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  readonly domains = new Set<string>([""]);
  readonly #names = new Map<Tensor, string>();
  /** Places in the program: the same program is the same bytes, whatever was built before it. */
  readonly #numbers: Map<Node, number>;
  /** Names of inputs, outputs and constants. */
  readonly #taken: Set<string>;
  readonly #used: Set<Tensor>;
  readonly #shared = new Map<string, string>();
  readonly #external?: ExternalData;
  /** An input whose first axis is the free batch. */
  readonly #batched?: Tensor;
  #sized = false;

  constructor(program: Program, nodes: readonly Node[], external?: ExternalData) {
    this.#external = external;
    this.#numbers = new Map(nodes.map((node, i) => [node, i]));
    this.#taken = new Set([...program.inputs.map(inputName), ...program.outputs.keys()]);
    this.#batched = program.inputs.find((t) => t.shape[0] === -1);
    this.#used = new Set(
      [...nodes.flatMap((n) => n.inputs), ...program.outputs.values()].filter((t) => t !== undefined),
    );
    const outputs = this.#outputNames(program);
    for (const node of nodes) this.#write(node);
    // An output that another name already carries, or that is an input or a constant, is copied.
    for (const [name, t] of outputs) this.#node("Identity", "", [this.#names.get(t) as string], [name], []);
  }

  /** Gives each computed tensor its first output name; returns the names left to be copied. */
  #outputNames({ outputs }: Program): Map<string, Tensor> {
    const left = new Map<string, Tensor>();
    for (const [name, t] of outputs)
      if (!isOperator(t.node) || this.#names.has(t)) left.set(name, t);
      else this.#names.set(t, name);
    return left;
  }

  #write(node: Node): void {
    if (node.op === "Input") this.#names.set(node.outputs[0], inputName(node.outputs[0]));
    else if (node.op === "Constant") {
      if (!this.#names.has(node.outputs[0])) this.#names.set(node.outputs[0], this.#constant(node));
    } else this.#operator(node);
  }

  #operator(node: Node): void {
    const def = opDef(node.op);
    const inputs = node.inputs.map((t) => (t ? (this.#names.get(t) as string) : ""));
    const all = node.op === "Split"; // whose sizes are as many as its outputs
    const outputs = node.outputs.map((t) => (all || this.#used.has(t) || t.index === 0 ? this.#name(t, node) : ""));
    while (outputs.at(-1) === "") outputs.pop();
    const listed = def.inputAttrs ?? [];
    const unwritten = [...listed, ...(def.hostAttrs ?? [])];
    const grows = growsToBatch(node);
    for (const key of listed)
      inputs.push(grows ? this.#batchShape(node.outputs[0].shape) : this.#shapeInput(node, key));
    if (node.op === "Pad" && node.attrs.value) inputs.push(this.#float(node.attrs.value as number));
    // Of a node with bodies, the inputs that are not only seen by them: a Scan's scanned ones, an If's condition.
    const hasBody = Object.values(node.attrs).some(isBody);
    const own = hasBody ? ((node.attrs.num_scan_inputs as number | undefined) ?? 1) : inputs.length;
    const attributes = Object.entries(node.attrs)
      .filter(
        ([key, value]) => value !== undefined && !unwritten.includes(key) && !(node.op === "Pad" && key === "value"),
      )
      .map(([key, value]) => (isBody(value) ? this.#body(key, value, inputs, own) : attribute(key, value)));
    inputs.length = Math.min(inputs.length, own);
    this.#node(
      def.onnxName ?? node.op,
      def.domain ?? "",
      inputs,
      outputs,
      attributes,
      `${node.scope || "main"}/${node.op}_${this.#numbers.get(node)}`,
    );
  }

  /**
   * A graph attribute of a node with the named inputs, of which the last ones are the body's. Those among the node's `own` are handed
   * to it; the others it sees from outside under their names, as it sees the program's initializers.
   */
  #body(key: string, { inputs, outputs }: Body, named: readonly string[], own: number): AttributeProto {
    const skipped = named.length - inputs.length;
    const [outer, handed] = [named.slice(skipped), own - skipped];
    const nodes = nodesOf(outputs).filter((n) => n.op !== "Input");
    for (const n of [...inputs.map((t) => t.node), ...nodes])
      if (!this.#numbers.has(n)) this.#numbers.set(n, this.#numbers.size);
    for (const t of [...nodes.flatMap((n) => n.inputs), ...outputs]) if (t) this.#used.add(t);
    inputs.forEach((t, i) => {
      if (i >= handed) this.#names.set(t, outer[i]);
    });
    const info = (t: Tensor): ValueInfoProto => valueInfo(this.#name(t, t.node), t);
    const input = inputs.slice(0, handed).map(info);
    const around = this.nodes;
    this.nodes = [];
    for (const node of nodes) this.#write(node);
    const first = (t: Tensor, i: number) => isOperator(t.node) && outputs.indexOf(t) === i;
    const output = outputs.map((t, i) => (first(t, i) ? info(t) : this.#copied(t, `${key}${outer[0]}.${i}`)));
    const g = { name: `${key}${outer[0]}`, node: this.nodes, input, output };
    this.nodes = around;
    return create(AttributeProtoSchema, { name: key, type: AttributeType.GRAPH, g: create(GraphProtoSchema, g) });
  }

  /** An output of a body that is not computed in it, or is one already. */
  #copied(t: Tensor, name: string): ValueInfoProto {
    this.#node("Identity", "", [this.#names.get(t) as string], [name], []);
    return valueInfo(name, t);
  }

  #node(
    opType: string,
    domain: string,
    input: string[],
    output: string[],
    attributes: AttributeProto[],
    name?: string,
  ): void {
    this.domains.add(domain);
    this.nodes.push(
      create(NodeProtoSchema, { opType, domain, input, output, attribute: attributes, name: name ?? output[0] }),
    );
  }

  #name(t: Tensor, node: Node): string {
    const known = this.#names.get(t);
    if (known !== undefined) return known;
    const number = this.#numbers.get(node);
    const name = t.index === 0 ? `v${number}` : `v${number}.${t.index}`;
    this.#names.set(t, name);
    return name;
  }

  /** An attribute that ONNX takes as an int64 input; the free batch becomes -1 (Reshape) or 1 (Expand). */
  #shapeInput(node: Node, key: string): string {
    const free = node.op === "Expand" ? 1 : -1;
    const isShape = key === "shape";
    const values = (node.attrs[key] as readonly number[]).map((v) => (isShape && v < 0 ? free : v));
    return this.#share("int64", [values.length], values);
  }

  /** A shape with the batch in it, computed from the size of an input as the program runs. */
  #batchShape(shape: Shape): string {
    const name = `batch_shape${this.nodes.length}`;
    const parts = shape.map((d) => (d < 0 ? this.#batchTimes(-d) : this.#share("int64", [1], [d])));
    this.#node("Concat", "", parts, [name], [attribute("axis", 0)]);
    return name;
  }

  #batchTimes(k: number): string {
    const source = this.#batched;
    if (!source) throw new TesseraeError("internal", "a tensor grows to a batch that no input has");
    if (!this.#names.has(source)) this.#write(source.node);
    if (!this.#sized) {
      const ends = [attribute("start", 0), attribute("end", 1)];
      this.#node("Shape", "", [this.#names.get(source) as string], ["batch_size"], ends);
      this.#sized = true;
    }
    if (k === 1) return "batch_size";
    const name = `batch_size${this.nodes.length}`;
    this.#node("Mul", "", ["batch_size", this.#share("int64", [1], [k])], [name], []);
    return name;
  }

  #float(value: number): string {
    return this.#share("float32", [], [value]);
  }

  #constant(node: Node): string {
    const { dtype, shape } = node.outputs[0];
    const value = node.attrs.value as NdArray | TensorData;
    if (sizeOf(shape) <= 16 && value.data instanceof Float64Array) return this.#share(dtype, shape, value.data);
    const name = this.#constantName(node);
    this.#initializer(name, dtype, shape, "dtype" in value ? value.data : fromDoubles(dtype, value.data));
    return name;
  }

  /** Its own name, where no other tensor has it or could get it. */
  #constantName(node: Node): string {
    const { name } = node.attrs;
    const free = typeof name === "string" && !this.#taken.has(name) && !/^([vkc]\d|batch_)/.test(name);
    const chosen = free ? name : `c${this.#numbers.get(node)}`;
    this.#taken.add(chosen);
    return chosen;
  }

  /** Small constants of equal type and value are written once. */
  #share(dtype: DType, shape: Shape, values: ArrayLike<number>): string {
    const key = `${dtype}[${shape}]${Array.from(values, (v) => (Object.is(v, -0) ? "-0" : v)).join()}`;
    let name = this.#shared.get(key);
    if (name === undefined) {
      name = `k${this.#shared.size}`;
      this.#shared.set(key, name);
      this.#initializer(name, dtype, shape, fromDoubles(dtype, values));
    }
    return name;
  }

  #initializer(name: string, dtype: DType, shape: Shape, data: ArrayBufferView): void {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const proto = create(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: DATA_TYPES[dtype] });
    if (this.#external && bytes.length >= 1024) {
      const { offset, length } = this.#external.add(bytes);
      proto.dataLocation = TensorProto_DataLocation.EXTERNAL;
      const entries = { location: this.#external.location, offset: String(offset), length: String(length) };
      proto.externalData = Object.entries(entries).map(([key, value]) => ({
        $typeName: "onnx.StringStringEntryProto",
        key,
        value,
      }));
    } else proto.rawData = bytes;
    this.initializers.push(proto);
  }
}

/** Does the node expand a tensor without the free batch to one with it? */
const growsToBatch = ({ op, inputs, outputs }: Node): boolean =>
  op === "Expand" && outputs[0].shape.some((d) => d < 0) && !(inputs[0] as Tensor).shape.some((d) => d < 0);

const isBody = (value: Attr): value is Body => typeof value === "object" && "outputs" in value;

function attribute(name: string, value: Attr): AttributeProto {
  if (typeof value === "string") {
    if (name === "to") return attribute(name, DATA_TYPES[value as DType]);
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  }
  if (typeof value === "number")
    return FLOAT_ATTRIBUTES.has(name)
      ? create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value })
      : create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if (Array.isArray(value))
    return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
  throw new TesseraeError("internal", `attribute ${name} has no ONNX form`);
}

function valueInfo(name: string, { dtype, shape }: Tensor): ValueInfoProto {
  const dim = shape.map((d) =>
    d >= 0
      ? { value: { case: "dimValue" as const, value: BigInt(d) } }
      : { value: { case: "dimParam" as const, value: d === -1 ? "N" : `${-d}N` } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: DATA_TYPES[dtype], shape: { dim } } } },
  });
}
