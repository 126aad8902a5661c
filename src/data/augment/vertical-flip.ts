import type { Augmentation } from "../frame.ts";

export interface VerticalFlipConfig {
  /** Probability. */
  p: number;
}

/** Turns top and bottom round with probability p. */
export const verticalFlip: Augmentation<VerticalFlipConfig> = {
  pixels({ data, channels, width, height }, { p }, random) {
    if (random.uniform() >= p) return;
    for (let c = 0; c < channels; c++) {
      for (let y = 0; y < height >> 1; y++) {
        const upper = (c * height + y) * width;
        const lower = (c * height + height - 1 - y) * width;
        const row = data.slice(upper, upper + width);
        data.copyWithin(upper, lower, lower + width);
        data.set(row, lower);
      }
    }
  },
};
