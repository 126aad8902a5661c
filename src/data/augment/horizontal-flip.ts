import type { Augmentation } from "../frame.ts";

export interface HorizontalFlipConfig {
  /** Probability. */
  p: number;
}

/** Mirrors left and right with probability p. */
export const horizontalFlip: Augmentation<HorizontalFlipConfig> = {
  frame: (frame, { p }, random) => (random.uniform() < p ? { ...frame, flip: !frame.flip } : frame),
};
