import type { Augmentation, PlanarImage } from "../frame.ts";
import { blendByte } from "../pixels/blend.ts";
import { applyStep, type PolicySettings } from "../policy/operations.ts";
import type { AugMixPlan } from "../policy/parse.ts";
import { gamma, type Random } from "../random.ts";

type Config = Omit<AugMixPlan, "name"> & PolicySettings;

const { fround } = Math;

/** A mixture of chains of operations, mixed with the image (Hendrycks et al. 2020), as timm's AugMixAugment. */
export const augMix: Augmentation<Config> = {
  pixels(image, config, random) {
    const { width, alpha, blended } = config;
    const gammas = Array.from({ length: width }, () => gamma(alpha, random));
    const total = gammas.reduce((sum, g) => sum + g, 0);
    // All gammas may vanish for a tiny alpha; the weight then is the first chain's.
    const weights = gammas.map((g, i) => fround(total > 0 ? g / total : i === 0 ? 1 : 0));
    const [a, b] = [gamma(alpha, random), gamma(alpha, random)];
    const m = fround(a + b > 0 ? a / (a + b) : random.int(2));
    const chain = (pixels: Uint8Array) => chainOf({ ...image, data: pixels }, config, random);
    if (blended) mixByBlending(image.data, weights, m, chain);
    else mixAtOnce(image.data, weights, m, chain);
  },
};

/** sum of weight * chain, cut off to bytes; then (1 - m) image + m mixture. */
export function mixAtOnce(
  data: Uint8Array,
  weights: readonly number[],
  m: number,
  chain: (pixels: Uint8Array) => void,
): void {
  const mixed = new Float32Array(data.length);
  for (const weight of weights) {
    const pixels = data.slice();
    chain(pixels);
    for (let i = 0; i < mixed.length; i++) mixed[i] = mixed[i] + fround(weight * pixels[i]);
  }
  for (let i = 0; i < data.length; i++) {
    data[i] = blendByte(data[i], Math.max(0, Math.min(255, mixed[i])) | 0, m);
  }
}

/** The chains blended onto the image one after the other, so that each ends with about its weight times m. */
export function mixByBlending(
  data: Uint8Array,
  weights: readonly number[],
  m: number,
  chain: (pixels: Uint8Array) => void,
): void {
  const original = data.slice();
  let left = 1;
  const shares = weights.map(() => 0);
  for (let i = weights.length - 1; i >= 0; i--) {
    shares[i] = fround(fround(weights[i] * m) / left);
    left = fround(left * fround(1 - shares[i]));
  }
  for (const share of shares) {
    const pixels = original.slice();
    chain(pixels);
    for (let i = 0; i < data.length; i++) data[i] = blendByte(data[i], pixels[i], share);
  }
}

function chainOf(image: PlanarImage, config: Config, random: Random): void {
  const { operations, magnitude, depth, noise } = config;
  const length = depth > 0 ? depth : 1 + random.int(3);
  const names = Array.from({ length }, () => operations[random.int(operations.length)]);
  for (const op of names) applyStep(image, { op, p: 1, magnitude }, noise, config, random);
}
