import type { OperationName, PolicyStep } from "./operations.ts";

/** Pairs of (operation, probability, magnitude), one pair a line. */
function policy(text: string): PolicyStep[][] {
  return text
    .trim()
    .split("\n")
    .map((line) =>
      line
        .trim()
        .split(", ")
        .map((step) => {
          const [op, p, magnitude] = step.split(" ");
          return { op: op as OperationName, p: Number(p), magnitude: Number(magnitude) };
        }),
    );
}

const original = policy(`
  PosterizeOriginal 0.4 8, Rotate 0.6 9
  Solarize 0.6 5, AutoContrast 0.6 5
  Equalize 0.8 8, Equalize 0.6 3
  PosterizeOriginal 0.6 7, PosterizeOriginal 0.6 6
  Equalize 0.4 7, Solarize 0.2 4
  Equalize 0.4 4, Rotate 0.8 8
  Solarize 0.6 3, Equalize 0.6 7
  PosterizeOriginal 0.8 5, Equalize 1 2
  Rotate 0.2 3, Solarize 0.6 8
  Equalize 0.6 8, PosterizeOriginal 0.4 6
  Rotate 0.8 8, Color 0.4 0
  Rotate 0.4 9, Equalize 0.6 2
  Equalize 0 7, Equalize 0.8 8
  Invert 0.6 4, Equalize 1 8
  Color 0.6 4, Contrast 1 8
  Rotate 0.8 8, Color 1 2
  Color 0.8 8, Solarize 0.8 7
  Sharpness 0.4 7, Invert 0.6 8
  ShearX 0.6 5, Equalize 1 9
  Color 0.4 0, Equalize 0.6 3
  Equalize 0.4 7, Solarize 0.2 4
  Solarize 0.6 5, AutoContrast 0.6 5
  Invert 0.6 4, Equalize 1 8
  Color 0.6 4, Contrast 1 8
  Equalize 0.8 8, Equalize 0.6 3
`);

const v0 = policy(`
  Equalize 0.8 1, ShearY 0.8 4
  Color 0.4 9, Equalize 0.6 3
  Color 0.4 1, Rotate 0.6 8
  Solarize 0.8 3, Equalize 0.4 7
  Solarize 0.4 2, Solarize 0.6 2
  Color 0.2 0, Equalize 0.8 8
  Equalize 0.4 8, SolarizeAdd 0.8 3
  ShearX 0.2 9, Rotate 0.6 8
  Color 0.6 1, Equalize 1 2
  Invert 0.4 9, Rotate 0.6 0
  Equalize 1 9, ShearY 0.6 3
  Color 0.4 7, Equalize 0.6 0
  Posterize 0.4 6, AutoContrast 0.4 7
  Solarize 0.6 8, Color 0.6 9
  Solarize 0.2 4, Rotate 0.8 9
  Rotate 1 7, TranslateYRel 0.8 9
  ShearX 0 0, Solarize 0.8 4
  ShearY 0.8 0, Color 0.6 4
  Color 1 0, Rotate 0.6 2
  Equalize 0.8 4, Equalize 0 8
  Equalize 1 4, AutoContrast 0.6 2
  ShearY 0.4 7, SolarizeAdd 0.6 7
  Posterize 0.8 2, Solarize 0.6 10
  Solarize 0.6 8, Equalize 0.6 1
  Color 0.8 6, Rotate 0.4 5
`);

/** The research variant: posterize takes away more bits as the magnitude grows. */
const research = (steps: PolicyStep[][]): PolicyStep[][] =>
  steps.map((pair) =>
    pair.map((step) => (step.op.startsWith("Posterize") ? { ...step, op: "PosterizeIncreasing" } : step)),
  );

/**
 * AutoAugment's policies for ImageNet by timm's names: `original` (Cubuk et al. 2019), `v0` (EfficientNet's), each
 * also with the research posterize, and 3-Augment (Touvron et al. 2022, DeiT III).
 */
export const policies = {
  original,
  originalr: research(original),
  v0,
  v0r: research(v0),
  "3a": policy(`
    Solarize 1 5
    Desaturate 1 10
    GaussianBlurRand 1 10
  `),
};

export type PolicyName = keyof typeof policies;

const common: OperationName[] = ["AutoContrast", "Equalize", "Invert", "Rotate"];
const geometric: OperationName[] = ["ShearX", "ShearY", "TranslateXRel", "TranslateYRel"];

/** RandAugment's operations (Cubuk et al. 2020), without Cutout, which is random erasing here. */
export const randOperations: OperationName[] = [
  ...common,
  ...(["Posterize", "Solarize", "SolarizeAdd", "Color", "Contrast", "Brightness", "Sharpness"] as const),
  ...geometric,
];

/** The same, all stronger as the magnitude grows. */
export const randIncreasingOperations: OperationName[] = [
  ...common,
  ...(["PosterizeIncreasing", "SolarizeIncreasing", "SolarizeAdd"] as const),
  ...(["ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing", "SharpnessIncreasing"] as const),
  ...geometric,
];

/** timm's named sets of RandAugment (`-tweights`, `-t3a`, `-t3aw`): operation -> weight. */
export const randSets: Record<string, Partial<Record<OperationName, number>>> = {
  weights: {
    Rotate: 3,
    ShearX: 2,
    ShearY: 2,
    TranslateXRel: 1,
    TranslateYRel: 1,
    ColorIncreasing: 0.25,
    SharpnessIncreasing: 0.25,
    AutoContrast: 0.25,
    SolarizeIncreasing: 0.05,
    SolarizeAdd: 0.05,
    ContrastIncreasing: 0.05,
    BrightnessIncreasing: 0.05,
    Equalize: 0.05,
    PosterizeIncreasing: 0.05,
    Invert: 0.05,
  },
  "3a": { SolarizeIncreasing: 1, Desaturate: 1, GaussianBlur: 1 },
  "3aw": {
    SolarizeIncreasing: 6,
    Desaturate: 6,
    GaussianBlur: 6,
    Rotate: 3,
    ShearX: 2,
    ShearY: 2,
    PosterizeIncreasing: 1,
    AutoContrast: 1,
    ColorIncreasing: 1,
    SharpnessIncreasing: 1,
    ContrastIncreasing: 1,
    BrightnessIncreasing: 1,
    Equalize: 1,
    Invert: 1,
  },
};

/** AugMix's operations as timm has them: those of the paper and four enhancements. */
export const augMixOperations: OperationName[] = [
  ...(["AutoContrast", "ColorIncreasing", "ContrastIncreasing", "BrightnessIncreasing"] as const),
  ...(["SharpnessIncreasing", "Equalize", "Rotate", "PosterizeIncreasing", "SolarizeIncreasing"] as const),
  ...geometric,
];
