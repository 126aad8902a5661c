import type { Augmentation } from "../frame.ts";
import { solarize } from "../pixels/levels.ts";

/** Inverts the values from `threshold` (0 .. 256) on, with probability p. */
export const randomSolarize: Augmentation<{ p: number; threshold: number }> = {
  pixels(image, { p, threshold }, random) {
    if (random.uniform() < p) solarize(image, threshold);
  },
};
