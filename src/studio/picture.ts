import { type PixelImage, type RgbImage, toInterleaved, toRgb } from "../data/image.ts";
import type { Picture } from "../explain/figure.ts";
import type { ModelSpec } from "../models/spec.ts";
import { normalized, preparedPixels } from "../train/predictor.ts";

/** A planar image [C, H, W] to look at. */
export function rgbOf(planar: Uint8Array, [channels, height, width]: readonly number[]): RgbImage {
  const image = { width, height, channels: channels === 1 ? 1 : 3, data: toInterleaved(planar, channels) } as const;
  return toRgb(image) as RgbImage;
}

/** A decoded image as the model sees it, for the figures that explain `target`. */
export function pictureOf(spec: ModelSpec, image: PixelImage, name: string, target: number): Picture {
  const planar = preparedPixels(spec, image);
  return { name, pixels: rgbOf(planar, spec.inputShape), input: normalized(planar, spec), target };
}
