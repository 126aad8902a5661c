import type { Augmentation } from "../frame.ts";
import { roundHalfEven } from "../resize.ts";

export interface RandomCropConfig {
  /** Pixels of black added on every side before the crop. */
  padding: number;
  interpolation: "random" | "bilinear" | "bicubic";
}

/**
 * Pad, then crop at random (He et al. 2016, section 4.2, for CIFAR). An image of another size is first resized to
 * cover the output, keeping its aspect.
 */
export const randomCrop: Augmentation<RandomCropConfig> = {
  frame(frame, { padding, interpolation }, random, { width, height, size }) {
    const filter = interpolation === "random" ? (random.int(2) === 0 ? "bilinear" : "bicubic") : interpolation;
    const factor = Math.max(size[1] / width, size[0] / height);
    const w = Math.max(size[1], roundHalfEven(width * factor));
    const h = Math.max(size[0], roundHalfEven(height * factor));
    return {
      ...frame,
      box: { x: 0, y: 0, width, height },
      width: w,
      height: h,
      x: random.int(w - size[1] + 2 * padding + 1) - padding,
      y: random.int(h - size[0] + 2 * padding + 1) - padding,
      filter,
    };
  },
};
