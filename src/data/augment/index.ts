import type { Augmentation } from "../frame.ts";
import { augMix } from "./aug-mix.ts";
import { autoAugment } from "./auto-augment.ts";
import { colorJitter } from "./color-jitter.ts";
import { horizontalFlip } from "./horizontal-flip.ts";
import { randAugment } from "./rand-augment.ts";
import { randomCrop } from "./random-crop.ts";
import { randomErasing } from "./random-erasing.ts";
import { randomGaussianBlur } from "./random-gaussian-blur.ts";
import { randomGrayscale } from "./random-grayscale.ts";
import { randomResizedCrop } from "./random-resized-crop.ts";
import { randomSolarize } from "./random-solarize.ts";
import { verticalFlip } from "./vertical-flip.ts";

/** Every augmentation by name; one file each. */
export const augmentations = {
  horizontalFlip,
  randomCrop,
  randomResizedCrop,
  verticalFlip,
  autoAugment,
  randAugment,
  augMix,
  colorJitter,
  randomGrayscale,
  randomGaussianBlur,
  randomSolarize,
  randomErasing,
};

type ConfigOf<A> = A extends Augmentation<infer Config> ? Config : never;

/** One entry of a transform's list: a name of the table and that augmentation's own settings. Plain data. */
export type AugmentStep = {
  [Name in keyof typeof augmentations]: { name: Name } & ConfigOf<(typeof augmentations)[Name]>;
}[keyof typeof augmentations];
