import { type TrainTransform, trainTransform } from "../data/transform.ts";
import type { ModelSpec } from "../models/spec.ts";
import type { TrainSettings } from "./settings/index.ts";

/** The training pixels that the settings ask for, of the model's size and normalization. */
export function trainTransformOf(
  s: TrainSettings,
  { inputShape: [channels, height, width], preprocessing }: Pick<ModelSpec, "inputShape" | "preprocessing">,
): TrainTransform {
  const perChannel = (values: readonly number[]) =>
    Array.from({ length: channels }, (_, c) => values[c % values.length]);
  return trainTransform({
    size: [height, width],
    crop: s.crop,
    padding: s.cropPadding,
    scale: [...s.scale],
    ratio: [...s.ratio],
    hflip: s.hflip,
    vflip: s.vflip,
    interpolation: s.trainInterpolation,
    aa: s.aa,
    colorJitter: s.colorJitter,
    colorJitterProb: s.colorJitterProb,
    grayscaleProb: s.grayscaleProb,
    gaussianBlurProb: s.gaussianBlurProb,
    solarizeProb: s.solarizeProb,
    reprob: s.reprob,
    remode: s.remode,
    recount: s.recount,
    mean: perChannel(preprocessing.mean),
    std: perChannel(preprocessing.std),
    permutePixels: preprocessing.permute_pixels,
  });
}
