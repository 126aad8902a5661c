import { basename, dirname, join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { modelOf } from "../models/spec.ts";
import { exportOnnx } from "../train/export.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import type { TrainedModel } from "./model-files.ts";
import { resized } from "./resized.ts";

export interface ExportFileOptions {
  /** Images per run; absent: free. */
  readonly batch?: number;
  /** Side of the images, where it is not the trained one: position tables are resampled. */
  readonly imgSize?: number;
}

/** Writes a trained model as ONNX, never half: weights above the limit of a protobuf go to FILE.data beside it. */
export async function exportFile(
  trained: TrainedModel,
  file: string,
  { batch, imgSize }: ExportFileOptions = {},
): Promise<void> {
  if (trained.kind === "onnx")
    throw new TesseraeError("usage", "is ONNX already", {
      where: trained.path,
      hint: "Export from a run folder or a checkpoint",
    });
  const { spec, weights } = imgSize === undefined ? trained : resized(trained, imgSize);
  const { model, external } = exportOnnx(modelOf(spec), spec, weights, {
    batch,
    externalLocation: `${basename(file)}.data`,
  });
  if (external) await writeFileAtomic(join(dirname(file), external.location), external.chunks);
  await writeFileAtomic(file, model);
}
