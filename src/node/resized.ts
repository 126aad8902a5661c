import { TesseraeError } from "../errors.ts";
import { resizeModel, resizeWeights } from "../models/resize.ts";
import { checkWeights, modelOf } from "../models/spec.ts";
import type { TrainedModel } from "./model-files.ts";

/**
 * A trained model at another image size: tables of positions are resampled. Throws TesseraeError("usage") where the
 * architecture, or a file that is ONNX already, cannot take it.
 */
export function resized<T extends TrainedModel>(trained: T, imgSize: number): T {
  const [, height, width] = trained.spec.inputShape;
  if (height === imgSize && width === imgSize) return trained;
  if (trained.kind === "onnx")
    throw new TesseraeError("usage", `is made for images of ${height}x${width}`, {
      where: trained.path,
      hint: "Name the run folder or the weights that it was exported from",
    });
  const from = modelOf(trained.spec);
  const to = resizeModel(from, imgSize);
  const weights = resizeWeights(from, to, trained.weights);
  checkWeights(to, weights, trained.path);
  const { options, inputShape } = to;
  return { ...trained, spec: { ...trained.spec, options, inputShape }, weights };
}
