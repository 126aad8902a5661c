import type { PixelImage } from "../data/image.ts";
import type { Loader } from "../data/loader.ts";
import { applyTransform, evalTransform } from "../data/transform.ts";
import { TesseraeError } from "../errors.ts";
import type { OnnxModel } from "../graph/onnx.ts";
import { sizeOf, type TensorData } from "../graph/types.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { Backend, Session } from "../runtime/backend.ts";
import type { LogitsMeter } from "./confusion.ts";
import { Meter, type Metrics, probabilities, topK } from "./metrics.ts";

export interface Guess {
  readonly index: number;
  readonly label: string;
  /** 0 to 1. */
  readonly probability: number;
}

export interface EvaluateLoaderOptions {
  onBatch?: (done: number, total: number) => void;
  /** See the logits too. */
  meters?: readonly LogitsMeter[];
  /** Aborting throws its reason after the batch. */
  signal?: AbortSignal;
}

/** A trained model, loaded: pixels in, classes out. */
export interface Predictor {
  readonly spec: ModelSpec;
  /** Decoded pixels uint8 [n, C, H, W] to logits [n, classes]. */
  logits(pixels: Uint8Array): Promise<Float32Array>;
  /** The best guesses for a decoded image. */
  predict(image: PixelImage, options?: { top?: number }): Promise<Guess[]>;
  /** Quality over a loader's images. */
  evaluate(loader: Loader, options?: EvaluateLoaderOptions): Promise<Metrics>;
  dispose(): Promise<void>;
}

/** The evaluation transform of a model's preprocessing. */
export const transformOf = ({
  preprocessing: { mean, crop_pct, crop_mode, interpolation, permute_pixels },
  inputShape: [, height, width],
}: Pick<ModelSpec, "preprocessing" | "inputShape">) =>
  evalTransform({
    size: [height, width],
    cropPct: crop_pct,
    interpolation,
    ...(crop_mode && { cropMode: crop_mode }),
    ...(crop_mode === "border" && { fill: mean.map((m) => Math.round(255 * m)) }),
    ...(permute_pixels !== undefined && { permutePixels: permute_pixels }),
  });

/** A decoded image as the model takes it: resized, cropped, planar uint8 [C, H, W]. */
export function preparedPixels(spec: ModelSpec, image: PixelImage): Uint8Array {
  const pixels = new Uint8Array(sizeOf(spec.inputShape));
  applyTransform(transformOf(spec), image, channelsOf(spec), { seed: 0, epoch: 0, index: 0 }, pixels);
  return pixels;
}

/** The best guesses of one row of logits, best first; labels are the descriptions where the model has any. */
export function guessesOf({ classes, descriptions = classes }: ModelSpec, logits: Float32Array, top = 5): Guess[] {
  const p = probabilities(logits);
  return topK(p, top).map((index) => ({ index, label: descriptions[index] ?? String(index), probability: p[index] }));
}

/** Loads an exported model into a backend. */
export const loadPredictor = async (spec: ModelSpec, onnx: OnnxModel, backend: Backend): Promise<Predictor> =>
  new OnnxPredictor(spec, await backend.load(onnx));

/** Runs an export: "image" float32 [n, C, H, W] to "logits" float32 [n, classes]. */
export class OnnxPredictor implements Predictor {
  readonly spec: ModelSpec;
  readonly #session: Session;

  constructor(spec: ModelSpec, session: Session) {
    this.spec = spec;
    this.#session = session;
  }

  async logits(pixels: Uint8Array): Promise<Float32Array> {
    const data = normalized(pixels, this.spec);
    const shape = [data.length / sizeOf(this.spec.inputShape), ...this.spec.inputShape];
    const outputs = await this.#session.run(new Map([["image", { dtype: "float32" as const, shape, data }]]), {
      consume: ["image"],
    });
    return (outputs.get("logits") as TensorData).data as Float32Array;
  }

  async predict(image: PixelImage, { top = 5 }: { top?: number } = {}): Promise<Guess[]> {
    return guessesOf(this.spec, await this.logits(preparedPixels(this.spec, image)), top);
  }

  async evaluate(loader: Loader, { onBatch, meters = [], signal }: EvaluateLoaderOptions = {}): Promise<Metrics> {
    const meter = new Meter();
    let done = 0;
    for await (const { images, labels } of loader.epoch(0)) {
      const logits = await this.logits(images);
      for (const each of [meter, ...meters]) each.add(logits, labels, this.spec.classes.length);
      onBatch?.(++done, loader.batchesPerEpoch);
      signal?.throwIfAborted();
    }
    return meter.metrics;
  }

  dispose(): Promise<void> {
    return this.#session.dispose();
  }
}

/** 1 or 3, as the decoder can give them. */
export function channelsOf({ name, inputShape: [channels] }: Pick<ModelSpec, "name" | "inputShape">): 1 | 3 {
  if (channels === 1 || channels === 3) return channels;
  throw new TesseraeError("usage", `takes ${channels} channels; images have 3, or 1 for grey`, { where: name });
}

/** (x / 255 - mean) / std by channel, [n, C, H, W]. */
export function normalized(
  pixels: Uint8Array,
  {
    preprocessing: { mean, std },
    inputShape: [channels, height, width],
  }: Pick<ModelSpec, "preprocessing" | "inputShape">,
): Float32Array {
  const plane = height * width;
  const out = new Float32Array(pixels.length);
  for (let start = 0; start < pixels.length; start += plane) {
    const c = ((start / plane) % channels) % mean.length;
    const scale = 1 / (255 * std[c]);
    const shift = -mean[c] / std[c];
    for (let i = start; i < start + plane; i++) out[i] = pixels[i] * scale + shift;
  }
  return out;
}
