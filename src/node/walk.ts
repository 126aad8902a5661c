import { drawSynth } from "../data/synth.ts";
import type { Picture } from "../explain/figure.ts";
import { lectureOf, type WalkOptions, walk } from "../explain/walk/index.ts";
import { sizeOf } from "../graph/types.ts";
import { createModel, listModels } from "../models/index.ts";
import { resizeModel } from "../models/resize.ts";
import { specOf } from "../models/spec.ts";
import { initialize } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { normalized } from "../train/predictor.ts";
import { drawingSvg, pictureAddress, picturesOf, subjectOf } from "./explain.ts";
import { openTrained, type TrainedModel } from "./model-files.ts";

/** A model by name with fresh weights, for a drawn image of its lecture's size; or a trained one. */
async function open(name: string, image: string | undefined): Promise<{ trained: TrainedModel; fresh: boolean }> {
  if (!listModels().includes(name)) return { trained: await openTrained(name), fresh: false };
  const own = createModel(name);
  const model = image === undefined ? resizeModel(own, lectureOf(own).side(own)) : own;
  const classes = Array.from({ length: model.numClasses }, (_, i) => String(i));
  const weights = initialize(model, 0);
  return { trained: { kind: "weights", path: name, spec: specOf(model, classes), weights, warnings: [] }, fresh: true };
}

/** A drawn star, of the model's size. */
function example(spec: TrainedModel["spec"]): Picture {
  const [, height, width] = spec.inputShape;
  const side = Math.max(height, width);
  const data = drawSynth(1, "star", 0, side).slice(0, 3 * height * width);
  const planar = new Uint8Array(sizeOf(spec.inputShape));
  for (let i = 0; i < planar.length; i++)
    planar[i] = data[(i % (height * width)) * 3 + (Math.floor(i / (height * width)) % 3)];
  return { name: "star.png", pixels: { width, height, data }, input: normalized(planar, spec), target: 0 };
}

/** The lecture of a model (a name, a run, published weights) on an image, or on a drawn one. Throws TesseraeError. */
export async function writeLecture(
  model: string,
  image: string | undefined,
  backend: Backend,
  options: Pick<WalkOptions, "language" | "patch"> = {},
): Promise<string> {
  const { trained, fresh } = await open(model, image);
  const subject = await subjectOf(trained, backend);
  try {
    const picture =
      image === undefined ? example(trained.spec) : (await picturesOf(subject, trained.spec, [image], 0))[0];
    return await walk(subject, picture, { ...options, fresh, toSvg: drawingSvg, toAddress: pictureAddress });
  } finally {
    await subject.state.dispose();
  }
}
