import type { PixelImage } from "../data/image.ts";
import { errorIn, TesseraeError } from "../errors.ts";
import { createSubject, type Subject } from "../explain/subject.ts";
import { type OnnxModel, readMetadata } from "../graph/onnx.ts";
import { allocate, sizeOf } from "../graph/types.ts";
import { type ImportOptions, importOnnx } from "../models/import-onnx.ts";
import { type ModelSpec, modelOf, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import { externalLocations } from "../onnx/external.ts";
import type { Backend } from "../runtime/backend.ts";
import { exportedSpec, exportedWeights, exportOnnx } from "../train/export.ts";
import { type Predictor as CorePredictor, type Guess, OnnxPredictor } from "../train/predictor.ts";
import { decodeImage } from "./decode.ts";

/** A model that was read from an ONNX file. */
export interface WebModel {
  readonly spec: ModelSpec;
  /** "image" float32 [n, C, H, W], normalised, to "logits" float32 [n, classes]. */
  readonly onnx: OnnxModel;
  /** Under the model's names, for figures and training; undefined for an export whose weights are integers. */
  readonly weights?: Weights;
  /** What was found in a file of another exporter, a line each, and what was assumed. */
  readonly report: readonly string[];
  readonly warnings: readonly string[];
}

export interface ReadModelOptions extends Omit<ImportOptions, "files"> {
  /** What errors call the file. */
  readonly name?: string;
}

/**
 * Reads an ONNX file: an export of ours as its own architecture, any other as the graph it is. Throws
 * TesseraeError("weights" | "model") for a file that is none or holds what cannot be read.
 */
export function readModel(
  bytes: Uint8Array,
  { name: where = "the model", ...options }: ReadModelOptions = {},
): WebModel {
  try {
    return read(bytes, where, options);
  } catch (error) {
    throw errorIn(error, where);
  }
}

function read(bytes: Uint8Array, where: string, options: ImportOptions): WebModel {
  if (externalLocations(bytes).length > 0)
    throw new TesseraeError("weights", "keeps its weights in a file beside it: too large for a page", { where });
  const spec = exportedSpec(readMetadata(bytes), where);
  if (!spec) return foreign(bytes, options);
  const onnx = { model: bytes };
  return { spec, onnx, weights: completed(spec, exportedWeights(onnx, modelOf(spec))), report: [], warnings: [] };
}

/** With zeros for what no export holds: counters of batches. */
function completed(spec: ModelSpec, weights: Weights | undefined): Weights | undefined {
  return (
    weights &&
    new Map(
      modelOf(spec).slots.map(({ name, dtype, shape }) => [
        name,
        weights.get(name) ?? { dtype, shape, data: allocate(dtype, sizeOf(shape)) },
      ]),
    )
  );
}

/** A file that something else wrote: its graph is read, its classes are numbers. */
function foreign(bytes: Uint8Array, options: ImportOptions): WebModel {
  const { model, ...rest } = importOnnx(bytes, options);
  const classes = Array.from({ length: model.numClasses }, (_, i) => String(i));
  const spec = specOf(model, classes);
  return { spec, onnx: exportOnnx(model, spec, rest.weights), ...rest };
}

export interface FetchModelOptions extends ReadModelOptions {
  readonly signal?: AbortSignal;
}

/** Fetches an ONNX file and reads it. Throws TesseraeError("io") where it cannot be fetched, else as `readModel`. */
export async function fetchModel(
  address: string | URL,
  { signal, ...options }: FetchModelOptions = {},
): Promise<WebModel> {
  const name = options.name ?? String(address);
  const failed = (what: string, cause?: unknown) => new TesseraeError("io", what, { where: name, cause });
  const response = await fetch(address, { signal }).catch((cause) => {
    signal?.throwIfAborted();
    throw failed("cannot be fetched", cause);
  });
  if (!response.ok) throw failed(`cannot be fetched: ${response.status} ${response.statusText}`.trim());
  return readModel(new Uint8Array(await response.arrayBuffer()), { ...options, name });
}

/** A model, loaded: pixels or image files in, classes out. */
export interface Predictor extends CorePredictor {
  /** The best guesses for an image file or a decoded image. Throws TesseraeError("data") for a file that cannot be read. */
  predict(image: Blob | PixelImage, options?: { top?: number }): Promise<Guess[]>;
}

/** Loads a model into a backend. */
export const createPredictor = async (
  { spec, onnx }: Pick<WebModel, "spec" | "onnx">,
  backend: Backend,
): Promise<Predictor> => new FilePredictor(spec, await backend.load(onnx));

class FilePredictor extends OnnxPredictor implements Predictor {
  override async predict(image: Blob | PixelImage, options?: { top?: number }): Promise<Guess[]> {
    return super.predict(image instanceof Blob ? await decodeImage(image) : image, options);
  }
}

/**
 * Puts a model on a backend for the figures of `FIGURES`; `dispose` the subject's state when done. Throws
 * TesseraeError("usage") for an export whose weights are integers.
 */
export async function subjectOf({ spec, weights }: WebModel, backend: Backend): Promise<Subject> {
  if (weights) return createSubject(spec, weights, backend);
  throw new TesseraeError("usage", "holds its weights as integers, which cannot be explained", {
    hint: "Export it in float32",
  });
}
