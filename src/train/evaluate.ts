import type { Loader } from "../data/loader.ts";
import { encodeModel, type OnnxModel } from "../graph/onnx.ts";
import { simplify } from "../graph/passes/index.ts";
import { type Program, program } from "../graph/program.ts";
import { input } from "../graph/tensor.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { type SlotSource, traceLogits } from "../models/trace.ts";
import type { Session, State } from "../runtime/backend.ts";
import { Meter, type Metrics } from "./metrics.ts";
import { normalize } from "./step.ts";

/**
 * Decoded pixels uint8 [batch, C, H, W] ("image") to logits [batch, classes] ("logits"). Weights that are inputs
 * have their own names, or those that `rename` gives them (the averages').
 */
export function inferenceGraph(
  model: Model,
  batch: number,
  source: SlotSource,
  rename?: (name: string) => string,
): Program {
  const image = input("image", "uint8", [batch, ...model.inputShape]);
  const { output } = traceLogits(model, normalize(image, model), { training: false, source, rename });
  return simplify(program(model.name, new Map([["logits", output]])));
}

/** `inferenceGraph` as bytes. */
export const inferenceProgram = (...args: Parameters<typeof inferenceGraph>): OnnxModel =>
  encodeModel(inferenceGraph(...args));

/** Pixel bytes as a feed. */
export const imageFeed = (images: Uint8Array, model: Model): TensorData => ({
  dtype: "uint8",
  shape: [images.length / model.inputShape.reduce((a, b) => a * b), ...model.inputShape],
  data: images,
});

export interface EvaluateOptions {
  /** Weights on the device, where the program does not hold them itself. */
  state?: State;
  signal?: AbortSignal;
  onBatch?: (done: number, total: number) => void;
}

/** Runs a loader's images through a program of `inferenceProgram`, every image once. */
export async function evaluate(
  model: Model,
  session: Session,
  loader: Loader,
  options: EvaluateOptions = {},
): Promise<Metrics> {
  const meter = new Meter();
  let done = 0;
  for await (const { images, labels } of loader.epoch(0)) {
    const feeds = new Map([["image", imageFeed(images, model)]]);
    const outputs = await session.run(feeds, { state: options.state, consume: ["image"] });
    meter.add((outputs.get("logits") as TensorData).data as Float32Array, labels, model.numClasses);
    options.onBatch?.(++done, loader.batchesPerEpoch);
    options.signal?.throwIfAborted();
  }
  return meter.metrics;
}
