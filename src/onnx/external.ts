import { decodeProto } from "../graph/onnx.ts";
import { type GraphProto, type TensorProto, TensorProto_DataLocation } from "../graph/onnx_pb.ts";
import { externalLocation } from "../graph/onnx-tensor.ts";
import { checkLimits } from "./limits.ts";

/**
 * The files beside a model that its tensors name. Throws TesseraeError("weights") for a location that is no plain file
 * name below the model's folder.
 */
export function externalLocations(bytes: Uint8Array): string[] {
  checkLimits(bytes);
  const locations = new Set<string>();
  const tensor = (t: TensorProto | undefined): void => {
    if (t?.dataLocation === TensorProto_DataLocation.EXTERNAL) locations.add(externalLocation(t));
  };
  const walk = (graph: GraphProto | undefined): void => {
    graph?.initializer.forEach(tensor);
    for (const node of graph?.node ?? [])
      for (const a of node.attribute) {
        tensor(a.t);
        walk(a.g);
      }
  };
  walk(decodeProto(bytes).graph);
  return [...locations];
}
