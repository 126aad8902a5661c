import type { Augmentation } from "../frame.ts";
import { brightness, color, contrast } from "../pixels/blend.ts";
import { adjustHue } from "../pixels/hue.ts";

export interface ColorJitterConfig {
  /** Probability. */
  p: number;
  /** Factors are drawn from max(0, 1 - x) .. 1 + x. */
  brightness: number;
  contrast: number;
  saturation: number;
  /** Shift of the hue from -x .. x of the circle; at most 0.5. */
  hue: number;
}

/** Brightness, contrast, saturation and hue, in random order: torchvision's ColorJitter on Pillow images. */
export const colorJitter: Augmentation<ColorJitterConfig> = {
  pixels(image, config, random) {
    if (random.uniform() >= config.p) return;
    const factor = (x: number) => random.uniformIn(Math.max(0, 1 - x), 1 + x);
    const changes = [
      { by: factor(config.brightness), none: 1, change: brightness },
      { by: factor(config.contrast), none: 1, change: contrast },
      { by: factor(config.saturation), none: 1, change: color },
      { by: random.uniformIn(-config.hue, config.hue), none: 0, change: adjustHue },
    ];
    for (let left = changes.length; left > 0; left--) {
      const [{ by, none, change }] = changes.splice(random.int(left), 1);
      if (by !== none) change(image, by);
    }
  },
};
