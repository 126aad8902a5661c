import type { Augmentation } from "../frame.ts";
import { gaussianBlur } from "../pixels/blur.ts";

export interface RandomGaussianBlurConfig {
  /** Probability. */
  p: number;
  /** Range of the standard deviation, in pixels. */
  sigma: readonly [number, number];
  /** Length of the kernel, odd. */
  taps: number;
}

/** torchvision's GaussianBlur with probability p; timm takes 23 taps and sigma from 0.1 to 2. */
export const randomGaussianBlur: Augmentation<RandomGaussianBlurConfig> = {
  pixels(image, { p, sigma, taps }, random) {
    if (random.uniform() < p) gaussianBlur(image, taps, random.uniformIn(sigma[0], sigma[1]));
  },
};
