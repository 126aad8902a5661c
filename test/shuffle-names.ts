import { create, toBinary } from "@bufbuild/protobuf";
import { decodeProto } from "../src/graph/onnx.ts";
import { type AttributeProto, type GraphProto, ModelProtoSchema } from "../src/graph/onnx_pb.ts";

/**
 * The same model with every name of a tensor, a node, a graph and a symbol replaced by one that says nothing. Names of
 * external files stay.
 */
export function shuffleNames(bytes: Uint8Array, seed = 1): Uint8Array {
  const model = decodeProto(bytes);
  const names = new Map<string, string>();
  const fresh = (name: string): string => {
    if (name === "") return "";
    const known = names.get(name);
    if (known) return known;
    const made = `x${((Math.imul(names.size + 1, 0x9e3779b1) ^ Math.imul(seed, 0x85ebca6b)) >>> 0).toString(36)}_${names.size}`;
    names.set(name, made);
    return made;
  };
  const graph = (g: GraphProto): void => {
    g.name = fresh(g.name);
    for (const t of g.initializer) t.name = fresh(t.name);
    for (const v of [...g.input, ...g.output]) {
      v.name = fresh(v.name);
      const shape = v.type?.value.case === "tensorType" ? v.type.value.value.shape : undefined;
      for (const d of shape?.dim ?? []) if (d.value.case === "dimParam") d.value.value = fresh(d.value.value);
    }
    g.valueInfo = [];
    g.metadataProps = [];
    for (const [i, node] of g.node.entries()) {
      node.name = fresh(`node ${i}:${node.name}`);
      node.input = node.input.map(fresh);
      node.output = node.output.map(fresh);
      node.docString = "";
      node.metadataProps = [];
      for (const a of node.attribute) attribute(a);
    }
  };
  const attribute = (a: AttributeProto): void => {
    if (a.t) a.t.name = fresh(a.t.name);
    if (a.g) graph(a.g);
    a.graphs.forEach(graph);
  };
  if (model.graph) graph(model.graph);
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...model, producerName: "", producerVersion: "" }));
}
