import { TesseraeError } from "../errors.ts";
import { decodeProto, encodeModel, joinChunks, type OnnxModel } from "../graph/onnx.ts";
import { tensorOf } from "../graph/onnx-tensor.ts";
import { simplify } from "../graph/passes/index.ts";
import { type Program, program } from "../graph/program.ts";
import { type DType, isFloat, N, type TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { type ModelSpec, parseSpec } from "../models/spec.ts";
import { imageInput, traceLogits, type Weights } from "../models/trace.ts";
import { toFloat32 } from "../weights/host-tensor.ts";

/** Key of the model's description among an ONNX file's metadata. */
export const SPEC_KEY = "tesserae";

export interface ExportOptions {
  /** Images per run; absent: free. */
  readonly batch?: number;
  readonly externalLocation?: string;
  /** The program in another form: halfPrecision, quantizeDynamic... Default: float32 as it is. */
  readonly rewrite?: (program: Program) => Program;
}

/**
 * The model in evaluation as ONNX (opset 18, standard operators): "image" float32 [N, C, H, W], normalised, to
 * "logits" float32 [N, classes]. Labels and preprocessing are in the metadata.
 */
export function exportOnnx(
  model: Model,
  spec: ModelSpec,
  weights: Weights,
  { batch, externalLocation, rewrite = (program) => program }: ExportOptions = {},
): OnnxModel {
  const { mean, std, interpolation, crop_pct } = spec.preprocessing;
  const metadata = {
    [SPEC_KEY]: JSON.stringify(spec),
    labels: JSON.stringify(spec.classes),
    preprocessing: JSON.stringify({ mean, std, interpolation, crop_pct, input_size: spec.inputShape }),
  };
  return encodeModel(rewrite(exportProgram(model, weights, batch)), { metadata, externalLocation });
}

/** The program of an export: images in, logits out, weights as constants. */
export function exportProgram(model: Model, weights: Weights, batch: number = N): Program {
  const { output } = traceLogits(model, imageInput(model, batch), { training: false, source: weights });
  return simplify(program(model.name, new Map([["logits", output]])));
}

/**
 * The description of its model that an export of ours has among its metadata; undefined for a file that something else
 * wrote. Throws TesseraeError("weights") for a description that is none.
 */
export function exportedSpec(metadata: ReadonlyMap<string, string>, where: string): ModelSpec | undefined {
  const text = metadata.get(SPEC_KEY);
  if (text === undefined) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new TesseraeError("weights", "its description of the model is not JSON", { where, cause });
  }
  return parseSpec(json, where);
}

/** In the model's own precision: another form of export may hold less. */
const typed = (t: TensorData, dtype: DType): TensorData =>
  t.dtype !== dtype && dtype === "float32" ? { ...t, dtype, data: toFloat32(t) } : t;

/** The weights in an export of ours, by the model's names; undefined where some are not there as floats. */
export function exportedWeights(
  { model: bytes, external }: OnnxModel,
  model: Model,
): Map<string, TensorData> | undefined {
  const files = new Map(external ? [[external.location, joinChunks(external.chunks)]] : []);
  const stored = new Map((decodeProto(bytes).graph?.initializer ?? []).map((t) => [t.name, t]));
  const weights = new Map<string, TensorData>();
  for (const { name, dtype } of model.slots) {
    const tensor = stored.get(name);
    // Counters of batches are in no export.
    if (!tensor && isFloat(dtype)) return undefined;
    if (tensor) weights.set(name, typed(tensorOf(tensor, files), dtype));
  }
  return weights;
}
