import type { PixelImage, RgbImage } from "../data/image.ts";
import { TesseraeError } from "../errors.ts";
import {
  type AttentionLayer,
  type AttentionProgram,
  attentionLayers,
  attentionProgram,
} from "../explain/attention-layers.ts";
import { type EvidenceMap, type EvidenceMethod, evidenceMap, evidenceMethods } from "../explain/evidence.ts";
import { createSubject, type Subject } from "../explain/subject.ts";
import type { OnnxModel } from "../graph/onnx.ts";
import { type ModelSpec, modelOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { exportOnnx } from "../train/export.ts";
import {
  type Guess,
  guessesOf,
  loadPredictor,
  normalized,
  type Predictor,
  preparedPixels,
} from "../train/predictor.ts";
import { pictureOf, rgbOf } from "./picture.ts";

/** What the studio's page knows of a model. */
export interface ModelInfo {
  /** What people call it: a run's name. */
  readonly name: string;
  /** Name in the table of models. */
  readonly model: string;
  /** Names of the classes, as people call them. */
  readonly classes: readonly string[];
  /** [C, H, W]. */
  readonly inputShape: readonly number[];
  /** Layers of which `attention` can be asked, in order; none for a model without attention. */
  readonly attention: readonly AttentionLayer[];
  /** What `evidence` can be asked for. */
  readonly evidence: readonly EvidenceMethod[];
}

export interface Prediction {
  /** Best first; none of a model without a classifier. */
  readonly top: readonly Guess[];
  /** The image as the model sees it: resized and cropped. */
  readonly seen: RgbImage;
}

/** A model that answers the studio's page, wherever it runs. Images are decoded. */
export interface StudioModel {
  readonly info: ModelInfo;
  predict(image: PixelImage, top?: number): Promise<Prediction>;
  /** float32 [groups, heads, queries, keys] of the layer of that path. Throws TesseraeError("model") where there is none. */
  attention(image: PixelImage, path: string): Promise<Float32Array>;
  /** Where the image speaks for a class, by a method of `info.evidence`. Throws TesseraeError("model"). */
  evidence(image: PixelImage, method: string, target: number): Promise<EvidenceMap>;
  dispose(): Promise<void>;
}

export interface StudioModelParts {
  readonly name: string;
  readonly spec: ModelSpec;
  readonly weights: Weights;
  readonly backend: Backend;
  /** The program that predicts, where it is at hand; default: an export of the weights. */
  readonly onnx?: OnnxModel;
}

/** Loads a model for the studio. What explains it is loaded when it is first asked for. */
export async function createStudioModel(parts: StudioModelParts): Promise<StudioModel> {
  const { name, spec, weights, backend } = parts;
  const model = modelOf(spec);
  const predictor = await loadPredictor(spec, parts.onnx ?? exportOnnx(model, spec, weights), backend);
  const layers = attentionLayers(model);
  const info: ModelInfo = {
    ...{ name, model: spec.name, classes: spec.descriptions ?? spec.classes, inputShape: spec.inputShape },
    ...{ attention: layers, evidence: spec.classes.length > 0 ? evidenceMethods(layers) : [] },
  };
  return new LoadedModel(info, spec, weights, backend, predictor);
}

class LoadedModel implements StudioModel {
  readonly info: ModelInfo;
  readonly #spec: ModelSpec;
  readonly #weights: Weights;
  readonly #backend: Backend;
  readonly #predictor: Predictor;
  #subject?: Promise<Subject>;
  /** The layer that was asked last stays loaded: a pointer that moves asks it again and again. */
  #layer?: { readonly path: string; readonly program: AttentionProgram };
  #turn: Promise<unknown> = Promise.resolve();

  constructor(info: ModelInfo, spec: ModelSpec, weights: Weights, backend: Backend, predictor: Predictor) {
    this.info = info;
    this.#spec = spec;
    this.#weights = weights;
    this.#backend = backend;
    this.#predictor = predictor;
  }

  async predict(image: PixelImage, top = 5): Promise<Prediction> {
    const pixels = preparedPixels(this.#spec, image);
    const seen = rgbOf(pixels, this.#spec.inputShape);
    if (this.info.classes.length === 0) return { top: [], seen };
    return { top: guessesOf(this.#spec, await this.#predictor.logits(pixels.slice()), top), seen };
  }

  /** One after another: a layer must not be unloaded while it is asked. */
  attention(image: PixelImage, path: string): Promise<Float32Array> {
    const asked = this.#turn.then(async () => {
      const program = await this.#programOf(path);
      return program.ask(normalized(preparedPixels(this.#spec, image), this.#spec));
    });
    this.#turn = asked.catch(() => {});
    return asked;
  }

  async evidence(image: PixelImage, method: string, target: number): Promise<EvidenceMap> {
    if (!this.info.evidence.some((m) => m.name === method))
      throw new TesseraeError("model", `${this.info.model} has no class evidence by ${method}`);
    if (!(Number.isInteger(target) && target >= 0 && target < this.info.classes.length))
      throw new TesseraeError("model", `${this.info.model} has no class number ${target}`);
    return evidenceMap(await this.#subjectOnce(), method, pictureOf(this.#spec, image, "image", target));
  }

  async dispose(): Promise<void> {
    await this.#turn;
    await this.#layer?.program.dispose();
    await (await this.#subject)?.state.dispose();
    await this.#predictor.dispose();
  }

  #subjectOnce(): Promise<Subject> {
    this.#subject ??= createSubject(this.#spec, this.#weights, this.#backend);
    return this.#subject;
  }

  async #programOf(path: string): Promise<AttentionProgram> {
    if (this.#layer?.path === path) return this.#layer.program;
    const program = await attentionProgram(await this.#subjectOnce(), path);
    await this.#layer?.program.dispose();
    this.#layer = { path, program };
    return program;
  }
}
