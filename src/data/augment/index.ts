import type { Augmentation } from "../frame.ts";
import { horizontalFlip } from "./horizontal-flip.ts";
import { randomCrop } from "./random-crop.ts";
import { randomResizedCrop } from "./random-resized-crop.ts";

/** Every augmentation by name; one file each. */
export const augmentations = {
  horizontalFlip,
  randomCrop,
  randomResizedCrop,
};

type ConfigOf<A> = A extends Augmentation<infer Config> ? Config : never;

/** One entry of a transform's list: a name of the table and that augmentation's own settings. Plain data. */
export type AugmentStep = {
  [Name in keyof typeof augmentations]: { name: Name } & ConfigOf<(typeof augmentations)[Name]>;
}[keyof typeof augmentations];
