import type { Augmentation } from "../frame.ts";
import { grayscale } from "../pixels/blend.ts";

/** Grey, in as many channels, with probability p. */
export const randomGrayscale: Augmentation<{ p: number }> = {
  pixels(image, { p }, random) {
    if (random.uniform() < p) grayscale(image);
  },
};
