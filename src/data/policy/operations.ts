import type { PlanarImage } from "../frame.ts";
import {
  type Affine,
  type AffineFilter,
  affine,
  rotation,
  shearX,
  shearY,
  translateX,
  translateY,
} from "../pixels/affine.ts";
import { brightness, color, contrast, sharpness } from "../pixels/blend.ts";
import { boxGaussianBlur } from "../pixels/blur.ts";
import { autoContrast, equalize, invert, posterize, solarize, solarizeAdd } from "../pixels/levels.ts";
import type { Random } from "../random.ts";

/** Of a policy, the same for all its operations. Plain data. */
export interface PolicySettings {
  /** A byte a channel for what moves in from outside. */
  fill: readonly number[];
  /** Drawn from at each geometric operation. */
  filters: readonly AffineFilter[];
  /** Translation at level 10 of TranslateX and TranslateY, in pixels. */
  translateConst: number;
  /** Translation at level 10 of the Rel ones, as part of the side. */
  translatePct: number;
}

/**
 * One line of timm's table (auto_augment.py): how strong at a level, and what it does. Levels go from 0 to 10, or to
 * `mmax`.
 */
export interface Operation {
  /** Argument at `level`; `sign` is drawn from 1 and -1 where `signed`. Undefined: the operation has none. */
  argument?(level: number, settings: PolicySettings, sign: 1 | -1): number;
  /** The direction of the change is drawn. */
  signed?: true;
  apply(image: PlanarImage, argument: number, settings: PolicySettings, random: Random): void;
}

const TOP = 10;
const part = (level: number): number => level / TOP;

type Argument = NonNullable<Operation["argument"]>;
const fromTo =
  (low: number, high: number): Argument =>
  (level) =>
    Math.max(low, Math.min(high, low + (high - low) * part(level)));
const enhance: Argument = (level) => part(level) * 1.8 + 0.1;
/** Away from 1, which changes nothing, to either side. */
const enhanceIncreasing: Argument = (level, _, sign) => Math.max(0.1, 1 + sign * (part(level) * 0.9));
const bits: Argument = (level) => Math.trunc(part(level) * 4);
const threshold: Argument = (level) => Math.min(256, Math.trunc(part(level) * 256));

/** Two lines of the table: `Name` and `NameIncreasing`. */
const enhancement = (apply: Operation["apply"]): [Operation, Operation] => [
  { argument: enhance, apply },
  { argument: enhanceIncreasing, signed: true, apply },
];
const [colorTo, colorIncreasing] = enhancement(color);
const [contrastTo, contrastIncreasing] = enhancement(contrast);
const [brightnessTo, brightnessIncreasing] = enhancement(brightness);
const [sharpnessTo, sharpnessIncreasing] = enhancement(sharpness);

const moving = (argument: Argument, matrix: (argument: number, image: PlanarImage) => Affine): Operation => ({
  argument,
  signed: true,
  apply(image, value, { filters, fill }, random) {
    const filter = filters.length === 1 ? filters[0] : filters[random.int(filters.length)];
    affine(image, matrix(value, image), filter, fill);
  },
});
const shear: Argument = (level, _, sign) => sign * (part(level) * 0.3);
const translateAbs: Argument = (level, { translateConst }, sign) => sign * (part(level) * translateConst);
const translateRel: Argument = (level, { translatePct }, sign) => sign * (part(level) * translatePct);

/** timm's table of operations, by timm's names. */
export const operations = {
  AutoContrast: { apply: autoContrast },
  Equalize: { apply: equalize },
  Invert: { apply: invert },
  Rotate: moving(
    (level, _, sign) => sign * (part(level) * 30),
    (degrees, { width, height }) => rotation(degrees, width, height),
  ),
  Posterize: { argument: bits, apply: posterize },
  PosterizeIncreasing: { argument: (...a) => 4 - bits(...a), apply: posterize },
  PosterizeOriginal: { argument: (...a) => 4 + bits(...a), apply: posterize },
  Solarize: { argument: threshold, apply: solarize },
  SolarizeIncreasing: { argument: (...a) => 256 - threshold(...a), apply: solarize },
  SolarizeAdd: { argument: (level) => Math.min(128, Math.trunc(part(level) * 110)), apply: solarizeAdd },
  Color: colorTo,
  ColorIncreasing: colorIncreasing,
  Contrast: contrastTo,
  ContrastIncreasing: contrastIncreasing,
  Brightness: brightnessTo,
  BrightnessIncreasing: brightnessIncreasing,
  Sharpness: sharpnessTo,
  SharpnessIncreasing: sharpnessIncreasing,
  ShearX: moving(shear, shearX),
  ShearY: moving(shear, shearY),
  TranslateX: moving(translateAbs, translateX),
  TranslateY: moving(translateAbs, translateY),
  TranslateXRel: moving(translateRel, (share, { width }) => translateX(share * width)),
  TranslateYRel: moving(translateRel, (share, { height }) => translateY(share * height)),
  Desaturate: {
    argument: fromTo(0.5, 1),
    apply: (image, amount) => color(image, Math.min(1, Math.max(0, 1 - amount))),
  },
  GaussianBlur: { argument: fromTo(0.1, 2), apply: boxGaussianBlur },
  /** The argument is the largest sigma over 2; the smallest is 0.1. */
  GaussianBlurRand: {
    argument: fromTo(0, 1),
    apply: (image, most, _, random) => boxGaussianBlur(image, random.uniformIn(0.1, 2 * most)),
  },
} satisfies Record<string, Operation>;

export type OperationName = keyof typeof operations;

/** An operation of a policy. Plain data. */
export interface PolicyStep {
  op: OperationName;
  /** Probability. */
  p: number;
  magnitude: number;
}

/** How a policy varies its magnitudes. Plain data. */
export interface MagnitudeNoise {
  /** Standard deviation of the magnitude; `uniform` draws it from 0 to the magnitude. */
  std: number | "uniform";
  /** Largest magnitude. */
  max: number;
}

/** Draws whether and how strongly, and applies. */
export function applyStep(
  image: PlanarImage,
  { op, p, magnitude }: PolicyStep,
  noise: MagnitudeNoise,
  settings: PolicySettings,
  random: Random,
): void {
  if (p < 1 && random.uniform() >= p) return;
  const operation: Operation = operations[op];
  const drawn =
    noise.std === "uniform"
      ? random.uniformIn(0, magnitude)
      : noise.std > 0
        ? magnitude + noise.std * random.normal()
        : magnitude;
  const level = Math.max(0, Math.min(drawn, noise.max));
  const sign = operation.signed && random.uniform() >= 0.5 ? -1 : 1;
  operation.apply(image, operation.argument?.(level, settings, sign) ?? 0, settings, random);
}
