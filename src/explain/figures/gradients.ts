import { grad } from "../../autodiff/grad.ts";
import { keyed } from "../../data/random.ts";
import { pixelDrawing } from "../attribution.ts";
import type { Figure, FigureContext, Picture } from "../figure.ts";
import { askEach, inquire } from "../subject.ts";

/** Inputs of one run. */
const BATCH = 8;

/** Mean over many inputs of the slope of the class's logit, [C, H, W] for each picture. */
async function meanSlope(context: FigureContext, inputs: (p: Picture) => Float32Array[]): Promise<Float32Array[]> {
  const inquiry = await inquire(context, BATCH, (of) => new Map([["slope", grad(of.score, [of.image])[0]]]));
  try {
    const means: Float32Array[] = [];
    for (const picture of context.pictures) {
      const all = inputs(picture);
      const mean = new Float32Array(picture.input.length);
      for (const slope of await askEach(inquiry, BATCH, all, picture.target, "slope"))
        for (let k = 0; k < mean.length; k++) mean[k] += slope[k] / all.length;
      means.push(mean);
    }
    return means;
  } finally {
    await inquiry.dispose();
  }
}

/** Steps of the integral. */
export const STEPS = 32;

/**
 * Integrated gradients [C, H, W] of each picture from the mean image, 0 after normalising, by the midpoint rule:
 * x ⊙ ∫ ∂y/∂x (αx) dα. They sum to the difference of the logits of picture and mean image (completeness).
 */
export async function integratedGradients(context: FigureContext): Promise<Float32Array[]> {
  const path = ({ input }: Picture) =>
    Array.from({ length: STEPS }, (_, i) => input.map((v) => (v * (i + 0.5)) / STEPS));
  const slopes = await meanSlope(context, path);
  return slopes.map((slope, i) => slope.map((s, k) => s * context.pictures[i].input[k]));
}

export const integrated: Figure = {
  title: "Integrated gradients",
  source: "Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, equations 1 and 3",
  images: true,
  draw: async (context) =>
    pixelDrawing(context, {
      title: "Integrated gradients",
      caption: `Each pixel's share of the class's logit, on the way from the mean image in ${STEPS} steps.`,
      values: await integratedGradients(context),
    }),
};

const SAMPLES = 16;
/** Deviation of the noise, as a part of the image's range. */
const NOISE = 0.15;

export const smoothGrad: Figure = {
  title: "SmoothGrad",
  source: "Smilkov et al. 2017, SmoothGrad: removing noise by adding noise",
  images: true,
  async draw(context) {
    const noisy = ({ input }: Picture) => {
      const range =
        input.reduce((m, v) => Math.max(m, v), -Infinity) - input.reduce((m, v) => Math.min(m, v), Infinity);
      return Array.from({ length: SAMPLES }, (_, i) => {
        const random = keyed(context.seed, "smoothgrad", i);
        return input.map((v) => v + NOISE * range * random.normal());
      });
    };
    return pixelDrawing(context, {
      title: this.title,
      caption: `Slope of the class's logit by pixel, averaged over ${SAMPLES} noisy copies.`,
      values: await meanSlope(context, noisy),
    });
  },
};
