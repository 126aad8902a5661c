import { TesseraeError } from "../errors.ts";
import { constantValue } from "../graph/evaluate.ts";
import { decodeProto } from "../graph/onnx.ts";

import type {
  AttributeProto,
  FunctionProto,
  GraphProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from "../graph/onnx_pb.ts";
import { type ExternalFiles, tensorOf } from "../graph/onnx-tensor.ts";
import { constantData, input, type Tensor, withScope } from "../graph/tensor.ts";
import { nodesOf } from "../graph/walk.ts";
import { adapterOf } from "./adapters/index.ts";
import { isSymbolic } from "./batch.ts";
import { Call, isConstant, Refusal, scalarOf } from "./call.ts";
import { Folder } from "./fold.ts";
import { type ImageLayout, imageLayout, sizesOf } from "./image.ts";
import { checkLimits, LIMITS } from "./limits.ts";
import { single } from "./precision.ts";

export interface ReadOptions {
  /** Files beside the model that hold its weights. */
  readonly files?: ExternalFiles;
  /** Tensors that the caller wants beside the outputs. */
  readonly names?: readonly string[];
  /** [height, width] where the file leaves them open. */
  readonly size?: readonly [number, number];
  /** The file is one of ours whose weights are inputs too: all but "image" are inputs of the graph. */
  readonly skeleton?: boolean;
}

/** A foreign file as a graph of our operators, its batch free. */
export interface ReadGraph {
  /** [N, C, H, W] float32, whatever layout and type the file takes. */
  readonly image: Tensor;
  readonly layout: ImageLayout;
  /** Every output of the file, in its order. */
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Tensors of the file that were asked for by name. */
  readonly named: ReadonlyMap<string, Tensor>;
  /** Inputs beside the image, of a skeleton. */
  readonly parameters: readonly Tensor[];
  /** Weights and other constants that came as tensors, with the names that the file gives them. */
  readonly constants: ReadonlyMap<Tensor, string>;
  /** "name version" of what wrote the file, as it says. */
  readonly producer: string;
  readonly opset: number;
  readonly nodes: number;
}

/** A value that cannot be had, because a node before it was refused. */
const LOST = Symbol("lost");
type Value = Tensor | typeof LOST;

/** Names that a node may read: its graph's, then those around it. */
class Names {
  readonly #own = new Map<string, Value>();
  readonly #outer?: Names;

  constructor(outer?: Names) {
    this.#outer = outer;
  }

  set(name: string, value: Value): void {
    if (name !== "") this.#own.set(name, value);
  }

  get(name: string): Value {
    const value = this.#own.get(name) ?? this.#outer?.find(name);
    if (value === undefined)
      throw new TesseraeError("weights", `nothing computes ${JSON.stringify(name)} before it is read`);
    return value;
  }

  find(name: string): Value | undefined {
    return this.#own.get(name) ?? this.#outer?.find(name);
  }
}

interface Refused {
  count: number;
  readonly node: string;
}

/** What a list of nodes is read in. */
interface Context {
  readonly names: Names;
  readonly opset: number;
  readonly depth: number;
  /** Attributes of the call, inside a function. */
  readonly given?: ReadonlyMap<string, AttributeProto>;
}

/**
 * Reads ONNX bytes into a graph of our operators. Shapes are settled, constants folded, the batch is free. Throws
 * TesseraeError("weights") for bytes that are no model, TesseraeError("model") for one that cannot be a graph here: what is
 * refused is listed by name, count and node.
 */
export function readOnnx(bytes: Uint8Array, options: ReadOptions = {}): ReadGraph {
  checkLimits(bytes);
  const model = decodeProto(bytes);
  if (!model.graph) throw new TesseraeError("weights", "the ONNX model has no graph");
  return new Reader(model, options).read(model.graph);
}

class Reader {
  readonly #model: ModelProto;
  readonly #options: ReadOptions;
  readonly #functions: ReadonlyMap<string, FunctionProto>;
  readonly #refused = new Map<string, Refused>();
  readonly #constants = new Map<Tensor, string>();
  readonly #folder: Folder;
  #hard?: number;
  #nodes = 0;

  constructor(model: ModelProto, options: ReadOptions) {
    this.#model = model;
    this.#options = options;
    this.#functions = new Map(model.functions.map((f) => [`${f.domain}:${f.name}`, f]));
    this.#folder = new Folder(this.#constants);
  }

  read(graph: GraphProto): ReadGraph {
    const opset = opsetOf(this.#model);
    if (opset < 7) throw new TesseraeError("model", `opset ${opset} is too old: the oldest that is read is 7`);
    this.#refuseUnknown(graph.node);
    this.#throwRefused();
    const names = new Names();
    this.#initializers(graph.initializer, names);
    if (graph.sparseInitializer.length) throw new TesseraeError("model", "sparse weights are not supported");
    const parameters = this.#parameters(graph, names);
    const layout = imageLayout({ ...graph, input: graph.input.filter((v) => !names.find(v.name)) }, this.#options.size);
    this.#hard = layout.batch;
    const image = input("image", "float32", layout.shape);
    names.set(layout.name, layout.channelsLast ? image.transpose([0, 2, 3, 1]) : image);
    this.#list(graph.node, { names, opset, depth: 0 });
    this.#throwRefused();
    const known = (name: string): readonly [string, Tensor] => [name, names.get(name) as Tensor];
    const outputs = new Map(graph.output.map(({ name }) => known(name)));
    if (outputs.size === 0) throw new TesseraeError("weights", "the ONNX model has no output");
    this.#refuseBatchSizes([...outputs.values()]);
    const { producerName, producerVersion } = this.#model;
    const producer = [producerName, producerVersion].filter(Boolean).join(" ");
    return {
      image,
      layout,
      outputs,
      named: new Map((this.#options.names ?? []).map(known)),
      parameters,
      constants: this.#constants,
      producer,
      opset,
      nodes: this.#nodes,
    };
  }

  #parameters({ input: inputs }: GraphProto, names: Names): Tensor[] {
    if (!this.#options.skeleton) return [];
    return inputs
      .filter(({ name }) => name !== "image" && !names.find(name))
      .map((info) => {
        const { dims, dtype } = sizesOf(info);
        const t = input(info.name, dtype, dims as number[]);
        names.set(info.name, t);
        return t;
      });
  }

  /** The size of the batch may shape tensors, but what is calculated with it would differ from batch to batch. */
  #refuseBatchSizes(outputs: readonly Tensor[]): void {
    const leaked = nodesOf(outputs).find(
      (n) => n.op === "Constant" && !this.#constants.has(n.outputs[0]) && constantValue(n).data.some(isSymbolic),
    );
    if (leaked) throw new TesseraeError("model", "calculates with the size of its batch");
  }

  #initializers(list: readonly TensorProto[], names: Names): void {
    for (const t of list) names.set(t.name, this.#constant(t, t.name));
  }

  #constant(proto: TensorProto, name: string): Tensor {
    const t = constantData(single(tensorOf(proto, this.#options.files)));
    this.#constants.set(t, name);
    return t;
  }

  /** Operators that no adapter reads, wherever they stand, found before any work. */
  #refuseUnknown(nodes: readonly NodeProto[], seen: Set<FunctionProto> = new Set()): void {
    for (const node of nodes) {
      const called = this.#functions.get(`${node.domain}:${node.opType}`);
      if (!called && node.opType !== "If" && !adapterOf(node.domain, node.opType))
        this.#refuse(node.domain ? `${node.domain}.${node.opType}` : node.opType, node);
      if (!called || seen.has(called) || seen.size > LIMITS.functions) continue;
      seen.add(called);
      this.#refuseUnknown(called.node, seen);
    }
  }

  #refuse(what: string, node: NodeProto): void {
    const known = this.#refused.get(what);
    if (known) known.count++;
    else this.#refused.set(what, { count: 1, node: node.name || node.output[0] || "?" });
  }

  #throwRefused(): void {
    if (this.#refused.size === 0) return;
    const all = [...this.#refused];
    const list = all.slice(0, 8).map(([what, { count, node }]) => `${count} × ${what} (first at ${show(node)})`);
    const rest = all.length > 8 ? ` and ${all.length - 8} more kinds` : "";
    const quantized = all.some(([what]) => /Quantize|QLinear|Integer/.test(what));
    throw new TesseraeError("model", `holds what cannot be trained here: ${list.join("; ")}${rest}`, {
      hint: quantized ? "The file is quantized: import the model it was made from" : undefined,
    });
  }

  #list(nodes: readonly NodeProto[], context: Context): void {
    if (context.depth > LIMITS.depth)
      throw new TesseraeError("weights", `graphs lie deeper than ${LIMITS.depth} levels`);
    for (const node of nodes) {
      if (++this.#nodes > LIMITS.nodes) throw new TesseraeError("weights", `holds more than ${LIMITS.nodes} nodes`);
      const values = this.#node(node, context);
      node.output.forEach((name, i) => {
        if (name !== "" && values) context.names.set(name, values[i] ?? LOST);
        else context.names.set(name, LOST);
      });
    }
  }

  /** A node's outputs; undefined where it, or what it reads, was refused. */
  #node(node: NodeProto, context: Context): readonly Value[] | undefined {
    const operands = node.input.map((name) => (name === "" ? undefined : context.names.get(name)));
    if (operands.includes(LOST)) return undefined;
    const x = operands as (Tensor | undefined)[];
    const attributes = node.attribute.map((a) => settled(a, context.given)).filter((a) => a !== undefined);
    const called = this.#functions.get(`${node.domain}:${node.opType}`);
    try {
      if (called && !adapterOf(node.domain, node.opType)) return this.#call(called, x, attributes, context.depth);
      if (node.opType === "If") return this.#if(node, x, context);
      const value = attributes.find((a) => a.name === "value")?.t;
      if (node.opType === "Constant" && value) return [this.#constant(value, node.output[0])];
      return this.#apply(node, x, attributes, context.opset);
    } catch (error) {
      if (error instanceof Refusal) this.#refuse(error.message, node);
      else throw located(error, node);
      return undefined;
    }
  }

  #apply(
    node: NodeProto,
    x: readonly (Tensor | undefined)[],
    attributes: readonly AttributeProto[],
    opset: number,
  ): readonly Tensor[] {
    const adapter = adapterOf(node.domain, node.opType);
    if (!adapter) throw new Refusal(node.opType);
    const call = new Call({ op: node.opType, opset, attributes, outputs: node.output.length, hard: this.#hard }, x);
    const result = withScope(scopeOf(node.name), () => adapter(call));
    return this.#folder.fold(Array.isArray(result) ? result : [result as Tensor], x);
  }

  /** A branch taken when the model is read; one that is chosen as it runs is refused. */
  #if(
    node: NodeProto,
    [condition]: readonly (Tensor | undefined)[],
    { names, opset, depth }: Context,
  ): readonly Value[] {
    if (!isConstant(condition)) throw new Refusal("If whose condition depends on the image");
    const taken = scalarOf(condition) ? "then_branch" : "else_branch";
    const branch = node.attribute.find((a) => a.name === taken)?.g;
    if (!branch) throw new TesseraeError("weights", `If lacks its ${taken}`);
    this.#refuseUnknown(branch.node);
    const inner = new Names(names);
    this.#initializers(branch.initializer, inner);
    this.#list(branch.node, { names: inner, opset, depth: depth + 1 });
    return branch.output.map(({ name }) => inner.get(name));
  }

  /** A function of the file, read in the place of its call. */
  #call(
    called: FunctionProto,
    x: readonly (Tensor | undefined)[],
    attributes: readonly AttributeProto[],
    depth: number,
  ): readonly Value[] {
    const names = new Names();
    called.input.forEach((name, i) => {
      const t = x[i];
      if (t) names.set(name, t);
    });
    const given = new Map([...called.attributeProto, ...attributes].map((a) => [a.name, a]));
    const opset = called.opsetImport.find((o) => isStandard(o.domain))?.version;
    this.#list(called.node, { names, opset: Number(opset ?? opsetOf(this.#model)), depth: depth + 1, given });
    return called.output.map((name) => names.get(name));
  }
}

const isStandard = (domain: string): boolean => domain === "" || domain === "ai.onnx";

const opsetOf = (model: ModelProto): number =>
  Number(model.opsetImport.find((o) => isStandard(o.domain))?.version ?? 1n);

/** An attribute of a function's node that refers to one of its call. */
function settled(a: AttributeProto, given?: ReadonlyMap<string, AttributeProto>): AttributeProto | undefined {
  if (!a.refAttrName) return a;
  const value = given?.get(a.refAttrName);
  return value && { ...value, name: a.name };
}

const show = (name: string): string => JSON.stringify(name.length > 80 ? `${name.slice(0, 77)}...` : name);

/** Names of nodes are paths in most files: a node's scope is its folder, for messages only. */
const scopeOf = (name: string): string => {
  const at = name.lastIndexOf("/");
  const scope = at > 0 && at < 200 ? name.slice(0, at).replace(/^\/+/, "") : "";
  return scope === "main" ? "" : scope;
};

function located(error: unknown, node: NodeProto): unknown {
  if (!(error instanceof TesseraeError) || error.where) return error;
  const code = error.code === "internal" || error.code === "shape" ? "model" : error.code;
  return new TesseraeError(code, error.message, {
    where: `${node.opType} ${show(node.name || node.output[0] || "?")}`,
    cause: error,
  });
}
