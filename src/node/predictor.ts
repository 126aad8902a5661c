import type { PixelImage } from "../data/image.ts";
import { modelOf } from "../models/spec.ts";
import type { Backend } from "../runtime/backend.ts";
import { exportOnnx } from "../train/export.ts";
import { type Predictor as CorePredictor, type Guess, OnnxPredictor } from "../train/predictor.ts";
import { decodeFile } from "./decode.ts";
import type { TrainedModel } from "./model-files.ts";

export type { Guess };

/** A trained model, loaded: pixels or files in, classes out. */
export interface Predictor extends CorePredictor {
  /** The best guesses for an image file or a decoded image. Throws TesseraeError("data") for a file that cannot be read. */
  predict(image: string | PixelImage, options?: { top?: number }): Promise<Guess[]>;
}

/** Loads a trained model into a backend. */
export async function createPredictor(trained: TrainedModel, backend: Backend): Promise<Predictor> {
  const { spec } = trained;
  const onnx = trained.kind === "onnx" ? trained.onnx : exportOnnx(modelOf(spec), spec, trained.weights);
  return new FilePredictor(spec, await backend.load(onnx));
}

class FilePredictor extends OnnxPredictor implements Predictor {
  override async predict(image: string | PixelImage, options?: { top?: number }): Promise<Guess[]> {
    return super.predict(typeof image === "string" ? await decodeFile(image) : image, options);
  }
}
