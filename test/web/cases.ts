import type { RgbImage } from "../../src/data/image.ts";
import type { OnnxModel } from "../../src/graph/onnx.ts";
import { createModel } from "../../src/models/index.ts";
import type { Model } from "../../src/models/model.ts";
import { type ModelSpec, specOf } from "../../src/models/spec.ts";
import { initialize, type Weights } from "../../src/models/trace.ts";
import { adamw } from "../../src/optim/adamw.ts";
import type { Backend } from "../../src/runtime/backend.ts";
import { createStudioModel } from "../../src/studio/model.ts";
import { oneHot } from "../../src/train/loss.ts";
import { initialState } from "../../src/train/step.ts";
import { createStepper } from "../../src/train/stepper.ts";

/*
 * What Node and a browser are both asked, by the same code.
 */

export const CLASSES = ["ant", "bee", "cat", "dog", "emu", "fox"];

const SHAPE = { img_size: 32, num_classes: CLASSES.length };

export const MODELS: Readonly<Record<string, () => Model>> = {
  vit: () =>
    createModel("vit_tiny_patch16_224", {
      ...{ ...SHAPE, patch_size: 8, embed_dim: 24, depth: 2, num_heads: 2 },
      ...{ drop_rate: 0.1, drop_path_rate: 0.2 },
    }),
  convmixer: () => createModel("convmixer_768_32", { ...SHAPE, patch_size: 4, dim: 16, depth: 2, kernel_size: 5 }),
};

export interface Trained {
  readonly spec: ModelSpec;
  readonly weights: Weights;
  readonly onnx?: OnnxModel;
}

/** Fresh weights, larger than a training would begin with, so that the answers differ from class to class. */
export function freshModel(name: string): Trained {
  const model = MODELS[name]();
  const weights = new Map(
    [...initialize(model, 1)].map(([key, t]) => {
      if (t.dtype !== "float32" || t.shape.length < 2) return [key, t] as const;
      return [key, { ...t, data: (t.data as Float32Array).map((v) => 4 * v) }] as const;
    }),
  );
  return { spec: specOf(model, CLASSES), weights };
}

const BATCH = 4;

/** Losses of a few steps with AdamW, clipping and averages, on one batch. */
export async function losses(name: string, backend: Backend, steps = 5): Promise<number[]> {
  const model = MODELS[name]();
  const options = { batch: BATCH, optimizer: adamw(), weightDecay: 0.05, clipGrad: 1, emaDecay: 0.9, seed: 3 };
  const stepper = await createStepper(model, backend, options);
  const state = await backend.createState(initialState(model, initialize(model, 1), options));
  const found: number[] = [];
  for (let i = 0; i < steps; i++) {
    const images = Uint8Array.from({ length: BATCH * 3 * 32 * 32 }, (_, k) => (k * 7919 + (k >> 8) * 31) % 256);
    const { loss } = await stepper.step(state, { images, targets: oneHot([0, 1, 2, 3], CLASSES.length), lr: 2e-3 });
    found.push(loss);
  }
  await Promise.all([stepper.dispose(), state.dispose()]);
  return found;
}

/** Everything that the studio asks of a model on an image, as numbers by name. */
export async function answers(
  { spec, weights, onnx }: Trained,
  image: RgbImage,
  backend: Backend,
): Promise<Record<string, number[]>> {
  const model = await createStudioModel({ name: "it", spec, weights, onnx, backend });
  const { top } = await model.predict(image);
  const found: Record<string, number[]> = {
    classes: top.map((guess) => guess.index),
    probabilities: top.map((guess) => guess.probability),
  };
  for (const { path } of model.info.attention) found[path] = [...(await model.attention(image, path))];
  for (const { name } of model.info.evidence) found[name] = [...(await model.evidence(image, name, 2)).values];
  await model.dispose();
  return found;
}
