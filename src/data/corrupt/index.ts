import { TesseraeError } from "../../errors.ts";
import type { PlanarImage } from "../frame.ts";
import { keyed } from "../random.ts";
import * as blur from "./blur.ts";
import type { Corruption } from "./corruption.ts";
import * as digital from "./digital.ts";
import * as noise from "./noise.ts";
import * as patches from "./patches.ts";
import { fromBytes, toBytes } from "./planes.ts";
import * as weather from "./weather.ts";

/**
 * The fifteen corruptions of ImageNet-C (Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness to Common
 * Corruptions and Perturbations), and patches dropped and shuffled (Naseer et al. 2021, Intriguing Properties of Vision
 * Transformers).
 */
export const CORRUPTIONS: Readonly<Record<string, Corruption>> = {
  gaussian_noise: noise.gaussianNoise,
  shot_noise: noise.shotNoise,
  impulse_noise: noise.impulseNoise,
  defocus_blur: blur.defocusBlur,
  glass_blur: blur.glassBlur,
  motion_blur: blur.motionBlur,
  zoom_blur: blur.zoomBlur,
  snow: weather.snow,
  frost: weather.frost,
  fog: weather.fog,
  brightness: weather.brightness,
  contrast: digital.contrast,
  elastic_transform: digital.elasticTransform,
  pixelate: digital.pixelate,
  jpeg_compression: digital.jpegCompression,
  patch_drop: patches.patchDrop,
  patch_shuffle: patches.patchShuffle,
};

export const corruptionNames = Object.keys(CORRUPTIONS);

/** Throws TesseraeError("usage") for a name that the table lacks. */
export function checkCorruptions(names: readonly string[]): void {
  const unknown = names.find((name) => !Object.hasOwn(CORRUPTIONS, name));
  if (unknown !== undefined)
    throw new TesseraeError("usage", `there is no corruption ${unknown}`, {
      hint: `There are ${corruptionNames.join(", ")}`,
    });
}

/** Which image of which drawing: the draws are of these and the corruption's name, the same at every severity. */
export interface CorruptionKey {
  readonly seed: number;
  /** The image's index in its set. */
  readonly index: number;
}

/** A corrupted copy of an image [C, H, W] of 1 or 3 channels. Throws TesseraeError("usage") for a name or severity that does not exist. */
export function corrupt(
  image: PlanarImage,
  name: string,
  severity: number,
  { seed, index }: CorruptionKey,
): PlanarImage {
  checkCorruptions([name]);
  const { levels, apply } = CORRUPTIONS[name];
  if (!(Number.isInteger(severity) && severity >= 1 && severity <= levels.length))
    throw new TesseraeError("usage", `${name} has severities 1 to ${levels.length}, not ${severity}`);
  return toBytes(apply(fromBytes(image), severity, keyed(seed, "corrupt", name, index)));
}

export type { Corruption, Family } from "./corruption.ts";
