import type { Augmentation } from "../frame.ts";
import { roundHalfEven } from "../resize.ts";

export interface RandomResizedCropConfig {
  /** Range of the crop's part of the area. */
  scale: readonly [number, number];
  /** Range of width over height, drawn log-uniformly. */
  ratio: readonly [number, number];
  interpolation: "random" | "bilinear" | "bicubic";
}

/** Crop of random area and aspect (Szegedy et al. 2015), as timm's RandomResizedCropAndInterpolation. */
export const randomResizedCrop: Augmentation<RandomResizedCropConfig> = {
  frame(frame, { scale, ratio, interpolation }, random, { width, height, size }) {
    const filter = interpolation === "random" ? (random.int(2) === 0 ? "bilinear" : "bicubic") : interpolation;
    const resized = { ...frame, width: size[1], height: size[0], x: 0, y: 0, filter };
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = random.uniformIn(scale[0], scale[1]) * width * height;
      const aspect = Math.exp(random.uniformIn(Math.log(ratio[0]), Math.log(ratio[1])));
      const w = roundHalfEven(Math.sqrt(area * aspect));
      const h = roundHalfEven(Math.sqrt(area / aspect));
      if (w < 1 || h < 1 || w > width || h > height) continue;
      return { ...resized, box: { x: random.int(width - w + 1), y: random.int(height - h + 1), width: w, height: h } };
    }
    // The largest central crop whose aspect is within the range.
    const whole = width / height;
    const w = whole > ratio[1] ? Math.max(1, roundHalfEven(height * ratio[1])) : width;
    const h = whole < ratio[0] ? Math.max(1, roundHalfEven(width / ratio[0])) : height;
    const box = { x: Math.floor((width - w) / 2), y: Math.floor((height - h) / 2), width: w, height: h };
    return { ...resized, box };
  },
};
