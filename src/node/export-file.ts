import { basename, dirname, join } from "node:path";
import { TesseraeError } from "../errors.ts";
import type { OnnxModel } from "../graph/onnx.ts";
import type { Program } from "../graph/program.ts";
import { modelOf } from "../models/spec.ts";
import { quantizeDynamic } from "../quantize/dynamic.ts";
import { halfPrecision } from "../quantize/half.ts";
import type { Observed } from "../quantize/ranges.ts";
import { planStatic, quantizeStatic } from "../quantize/static.ts";
import { exportOnnx, exportProgram } from "../train/export.ts";
import { freeImageSize } from "../train/free-size.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import type { TrainedModel } from "./model-files.ts";
import { resized } from "./resized.ts";

/** Of the numbers in a file; the last two have weights and products in integers of 8 bits. */
export const FORMS = ["float32", "float16", "dynamic", "static"] as const;
export type Form = (typeof FORMS)[number];

export interface ExportFileOptions {
  /** Images per run; absent: free. */
  readonly batch?: number;
  /** Side of the images, where it is not the trained one: position tables are resampled. "free": any, where possible. */
  readonly imgSize?: number | "free";
  /** Default float32. */
  readonly form?: Form;
  /** Of "static": what its tensors lie in, from `calibrate` with the plan of `planOf`. */
  readonly ranges?: ReadonlyMap<string, Observed>;
  /** Bits of a weight in integer forms, default 7: see `quantizeStatic`. */
  readonly weightBits?: 7 | 8;
}

/** A model whose weights are at hand. Throws TesseraeError("usage") for one that is ONNX already. */
export function withWeights(trained: TrainedModel): TrainedModel & { kind: "weights" } {
  if (trained.kind === "weights") return trained;
  throw new TesseraeError("usage", "is ONNX already", {
    where: trained.path,
    hint: "Export from a run folder, a checkpoint or weights",
  });
}

/** The plan of static quantization of a trained model, for `calibrate`. */
export const planOf = ({ spec, weights }: TrainedModel & { kind: "weights" }, batch?: number) =>
  planStatic(exportProgram(modelOf(spec), weights, batch));

/** A trained model as ONNX, in any form. Throws TesseraeError("usage"). */
export function toOnnx(given: TrainedModel, options: ExportFileOptions = {}, externalLocation?: string): OnnxModel {
  const { batch, imgSize } = options;
  const own = withWeights(given);
  const trained = typeof imgSize === "number" ? resized(own, imgSize) : own;
  const model = modelOf(trained.spec);
  const rewrite = rewriteOf(trained, options);
  const onnx = exportOnnx(model, trained.spec, trained.weights, { batch, externalLocation, rewrite });
  return imgSize === "free" ? freeImageSize(model, onnx) : onnx;
}

function rewriteOf(
  trained: TrainedModel & { kind: "weights" },
  { form = "float32", ranges, weightBits = 7, batch }: ExportFileOptions,
): ((program: Program) => Program) | undefined {
  if (form === "float32") return undefined;
  if (form === "float16") return halfPrecision;
  if (form === "dynamic") return (program) => quantizeDynamic(program, weightBits);
  if (!ranges) throw new TesseraeError("usage", "static quantization needs ranges: calibrate first");
  return () => quantizeStatic(planOf(trained, batch), ranges, weightBits);
}

/** Writes a trained model as ONNX, never half: weights above the limit of a protobuf go to FILE.data beside it. */
export async function exportFile(trained: TrainedModel, file: string, options: ExportFileOptions = {}): Promise<void> {
  const { model, external } = toOnnx(trained, options, `${basename(file)}.data`);
  if (external) await writeFileAtomic(join(dirname(file), external.location), external.chunks);
  await writeFileAtomic(file, model);
}
