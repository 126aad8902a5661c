import { TesseraeError } from "../errors.ts";
import { type AugmentStep, augmentations } from "./augment/index.ts";
import {
  type Augmentation,
  type Frame,
  type FrameContext,
  type PlanarImage,
  renderFrame,
  wholeFrame,
} from "./frame.ts";
import { type PixelImage, toGrey } from "./image.ts";
import { keyed } from "./random.ts";
import { centerWindow, type ResizeFilter, roundHalfEven, shortSideSize } from "./resize.ts";

export type Interpolation = "random" | "bilinear" | "bicubic";

/** Training pixels: crop, flip, then `augment` in order. Plain data: it crosses threads and goes into checkpoints. */
export interface TrainTransform {
  kind: "train";
  /** Output [height, width]. */
  size: [number, number];
  /** `rrc`: random resized crop. `pad`: pad by `padding`, then crop. */
  crop: "rrc" | "pad";
  scale: [number, number];
  ratio: [number, number];
  padding: number;
  /** Probability. */
  hflip: number;
  interpolation: Interpolation;
  /** Further augmentations. */
  augment?: AugmentStep[];
}

/** Evaluation pixels: resize so that the crop is `cropPct` of it, then crop the centre. */
export interface EvalTransform {
  kind: "eval";
  /** Output [height, width]. */
  size: [number, number];
  cropPct: number;
  interpolation: Exclude<ResizeFilter, "nearest">;
  /** `center` keeps the aspect (short side to size / cropPct), `squash` does not. */
  cropMode: "center" | "squash";
}

export type Transform = TrainTransform | EvalTransform;

type Given<T extends Transform> = Partial<Omit<T, "kind" | "size">> & { size: number | readonly [number, number] };

const pair = (size: number | readonly [number, number]): [number, number] =>
  typeof size === "number" ? [size, size] : [size[0], size[1]];

/** A training transform; the defaults are timm's. */
export function trainTransform(given: Given<TrainTransform>): TrainTransform {
  const transform: TrainTransform = {
    kind: "train",
    crop: "rrc",
    scale: [0.08, 1],
    ratio: [3 / 4, 4 / 3],
    padding: 4,
    hflip: 0.5,
    interpolation: "random",
    ...given,
    size: pair(given.size),
  };
  checkTransform(transform);
  return transform;
}

/** An evaluation transform; the defaults are timm's. */
export function evalTransform(given: Given<EvalTransform>): EvalTransform {
  const transform: EvalTransform = {
    kind: "eval",
    cropPct: 0.875,
    interpolation: "bicubic",
    cropMode: "center",
    ...given,
    size: pair(given.size),
  };
  checkTransform(transform);
  return transform;
}

/** Throws `usage` for settings that no image could satisfy. */
export function checkTransform(transform: Transform): void {
  const fail = (what: string): never => {
    throw new TesseraeError("usage", what);
  };
  if (!transform.size.every((v) => Number.isInteger(v) && v > 0)) {
    fail(`image size ${transform.size.join("x")} is not two positive whole numbers`);
  }
  if (transform.kind === "eval") {
    if (!(transform.cropPct > 0 && transform.cropPct <= 1)) fail(`cropPct ${transform.cropPct} is not in (0, 1]`);
    return;
  }
  const { scale, ratio, hflip, padding } = transform;
  if (!(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1)) {
    fail(`scale ${scale.join(" to ")} is not a range in (0, 1]`);
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1])) fail(`ratio ${ratio.join(" to ")} is not a range above 0`);
  if (!(hflip >= 0 && hflip <= 1)) fail(`hflip ${hflip} is not a probability`);
  if (!(Number.isInteger(padding) && padding >= 0)) fail(`padding ${padding} is not a whole number of pixels`);
  for (const { name } of transform.augment ?? []) {
    if (!Object.hasOwn(augmentations, name)) {
      fail(`no augmentation "${name}"; there are ${Object.keys(augmentations).join(", ")}`);
    }
  }
}

/** The augmentations that a training transform stands for, in order. */
export function augmentSteps(transform: TrainTransform): AugmentStep[] {
  const { crop, scale, ratio, padding, interpolation, hflip, augment = [] } = transform;
  const first: AugmentStep =
    crop === "rrc"
      ? { name: "randomResizedCrop", scale, ratio, interpolation }
      : { name: "randomCrop", padding, interpolation };
  return [first, ...(hflip > 0 ? [{ name: "horizontalFlip", p: hflip } as const] : []), ...augment];
}

/** timm's evaluation: resize (only the pixels that the crop keeps are computed), then centre crop. */
export function evalFrame(transform: EvalTransform, width: number, height: number): Frame {
  const { size, cropPct, interpolation, cropMode } = transform;
  const scaled = size.map((v) => Math.floor(v / cropPct));
  let whole = { width: scaled[1], height: scaled[0] };
  if (cropMode === "center" && scaled[0] === scaled[1]) whole = shortSideSize(width, height, scaled[0]);
  else if (cropMode === "center") {
    const reduction = Math.min(height / scaled[0], width / scaled[1]);
    whole = { width: roundHalfEven(width / reduction), height: roundHalfEven(height / reduction) };
  }
  const { x, y } = centerWindow(whole.width, whole.height, size[1], size[0]);
  return { box: { x: 0, y: 0, width, height }, ...whole, x, y, filter: interpolation, flip: false };
}

export interface SampleKey {
  seed: number;
  epoch: number;
  /** The sample's index in the dataset. */
  index: number;
}

/**
 * One image -> planar [C, H, W] bytes in `out`, C = `inChans` (1: ITU-R 601 luma). Every augmentation draws from its
 * own stream, keyed by sample and name, so adding one changes none of the others.
 */
export function applyTransform(
  transform: Transform,
  image: PixelImage,
  inChans: 1 | 3,
  key: SampleKey,
  out: Uint8Array,
): void {
  const { size } = transform;
  const source = inChans === 1 ? toGrey(image) : image;
  const { width, height } = source;
  if (transform.kind === "eval") {
    renderFrame(source, evalFrame(transform, width, height), size, out);
    return;
  }
  const context: FrameContext = { width, height, size };
  const steps = augmentSteps(transform).map((step, i, all) => {
    const earlier = all.slice(0, i).filter((other) => other.name === step.name).length;
    return {
      step,
      augmentation: augmentations[step.name] as Augmentation<AugmentStep>,
      random: keyed(key.seed, key.epoch, key.index, step.name, earlier),
    };
  });
  let frame = wholeFrame(context, "bicubic");
  for (const { step, augmentation, random } of steps) {
    frame = augmentation.frame?.(frame, step, random, context) ?? frame;
  }
  renderFrame(source, frame, size, out);
  const planar: PlanarImage = { data: out, channels: inChans, width: size[1], height: size[0] };
  for (const { step, augmentation, random } of steps) augmentation.pixels?.(planar, step, random);
}
