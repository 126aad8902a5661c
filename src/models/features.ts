import { TesseraeError } from "../errors.ts";
import { showShape, sizeOf, type TensorData } from "../graph/types.ts";
import { createModel } from "./index.ts";
import type { Model } from "./model.ts";
import { headNames } from "./pretrained.ts";
import { imageInput, traceModule, type Weights } from "./trace.ts";

/** The model without its classifier: images to pooled features [N, D]. Throws TesseraeError("model") where it has none. */
export function featureModel(model: Model): Model {
  const body = createModel(model.name, { ...model.options, num_classes: 0, drop_rate: 0 });
  const { shape } = traceModule(body.forward, imageInput(body, 1), { training: false, source: "inputs" }).output;
  if (shape.length !== 2)
    throw new TesseraeError("model", `${model.name} gives features ${showShape(shape)}, not one vector an image`, {
      hint: "Set --model-kwargs global_pool=avg",
    });
  return { ...body, preprocessing: model.preprocessing };
}

/** A linear classifier of features: logits = W·x + b. */
export interface LinearClassifier {
  /** [classes, D]. */
  readonly weight: Float32Array;
  /** [classes]. */
  readonly bias: Float32Array;
}

/**
 * Weights with another classifier in the head. A model with two heads (DeiT's distillation token) whose mean answers gets
 * it in both. Throws TesseraeError("model") where the head is no linear layer of the features.
 */
export function withHead(model: Model, weights: Weights, { weight, bias }: LinearClassifier): Map<string, TensorData> {
  const head = headNames(model);
  const out = new Map(weights);
  let layers = 0;
  for (const { name, shape } of model.slots.filter((s) => head.has(s.name))) {
    const data = shape.length > 1 ? weight : bias;
    if (sizeOf(shape) !== data.length)
      throw new TesseraeError("model", `${name} ${showShape(shape)} is no linear layer of the pooled features`);
    if (shape.length > 1) layers++;
    out.set(name, { dtype: "float32", shape, data: data.slice() });
  }
  if (layers === 0) throw new TesseraeError("model", `${model.name} has no classifier`);
  return out;
}
