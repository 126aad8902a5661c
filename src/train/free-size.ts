import { toBinary } from "@bufbuild/protobuf";
import { TesseraeError } from "../errors.ts";
import { decodeProto, encodeModel, type OnnxModel } from "../graph/onnx.ts";
import { ModelProtoSchema } from "../graph/onnx_pb.ts";
import { simplify } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { N } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { resizeModel } from "../models/resize.ts";
import { imageInput, traceLogits } from "../models/trace.ts";

/** Added to a model's own side: odd and even, and whole strides. */
const PROBES = [1, 2, 7, 32, 50] as const;

/** The same file, its images' height and width symbols. */
function withFreeSize(bytes: Uint8Array): Uint8Array {
  const proto = decodeProto(bytes);
  const info = proto.graph?.input.find(({ name }) => name === "image");
  const type = info?.type?.value;
  const dims = type?.case === "tensorType" ? (type.value.shape?.dim ?? []) : [];
  for (const [axis, name] of [
    [2, "height"],
    [3, "width"],
  ] as const)
    if (dims[axis]) dims[axis].value = { case: "dimParam", value: name };
  return toBinary(ModelProtoSchema, proto);
}

/** The graph without weights, its image size left open. */
function skeleton(model: Model): Uint8Array {
  const { output } = traceLogits(model, imageInput(model, N), { training: false, source: "inputs" });
  return withFreeSize(encodeModel(simplify(program(model.name, new Map([["logits", output]])))).model);
}

/**
 * An export for images of any size: only for a model whose graph, weights included, is the same at every one of several
 * sizes. Throws TesseraeError("usage") for the others: tables of positions, windows, and padding that depends on the size.
 */
export function freeImageSize(model: Model, onnx: OnnxModel): OnnxModel {
  const [, height, width] = model.inputShape;
  const own = skeleton(model);
  for (const more of PROBES) {
    const other = otherSize(model, height + more, width + more);
    if (!other || !sameBytes(own, skeleton(other)))
      throw new TesseraeError("usage", "has a graph that depends on the image size, which therefore cannot be free", {
        where: model.name,
        hint: "Name a size with --img-size",
      });
  }
  return { ...onnx, model: withFreeSize(onnx.model) };
}

function otherSize(model: Model, height: number, width: number): Model | undefined {
  try {
    return resizeModel(model, [height, width]);
  } catch (error) {
    if (error instanceof TesseraeError) return undefined;
    throw error;
  }
}

const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((v, i) => v === b[i]);
