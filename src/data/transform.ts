import { TesseraeError } from "../errors.ts";
import { type AugmentStep, augmentations } from "./augment/index.ts";
import type { EraseMode } from "./augment/random-erasing.ts";
import {
  type Augmentation,
  type Frame,
  type FrameContext,
  type PlanarImage,
  renderFrame,
  wholeFrame,
} from "./frame.ts";
import { type PixelImage, toGrey } from "./image.ts";
import type { PolicySettings } from "./policy/operations.ts";
import { type AutoAugmentPlan, parseAutoAugment } from "./policy/parse.ts";
import { keyed, permutation, type Random } from "./random.ts";
import { centerWindow, type Rect, type ResizeFilter, roundHalfEven, shortSideSize } from "./resize.ts";

export type Interpolation = "random" | "bilinear" | "bicubic";

/**
 * Training pixels, in timm's order: crop, flips, automatic augmentation or colour jitter, grey, blur, `augment` in
 * order, erasing. Plain data: it crosses threads and goes into checkpoints.
 */
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
  /** Probability. */
  vflip?: number;
  interpolation: Interpolation;
  /** timm's string: "rand-m9-mstd0.5-inc1", "augmix-m5-w4-d2", "original", "v0", "3a", ... */
  aa?: string;
  /** Ranges of brightness, contrast and saturation, or one for the three, and of the hue. `aa` but "3a" turns it off. */
  colorJitter?: number | readonly number[];
  /** Probability; default 1. */
  colorJitterProb?: number;
  /** Probabilities. */
  grayscaleProb?: number;
  gaussianBlurProb?: number;
  solarizeProb?: number;
  /** Further augmentations. */
  augment?: AugmentStep[];
  /** Probability of random erasing. */
  reprob?: number;
  /** Default const. */
  remode?: EraseMode;
  /** Most blocks; default 1. */
  recount?: number;
  /** The model's normalization, a number a channel; default ImageNet's. Fills and erased pixels are of it. */
  mean?: readonly number[];
  std?: readonly number[];
  /** At last, put the pixels in one fixed order of this seed: all structure in the plane is lost. */
  permutePixels?: number;
}

/** Evaluation pixels: resize so that the crop is `cropPct` of it, then crop the centre. */
export interface EvalTransform {
  kind: "eval";
  /** Output [height, width]. */
  size: [number, number];
  cropPct: number;
  interpolation: Exclude<ResizeFilter, "nearest">;
  /** `center` keeps the aspect (short side to size / cropPct), `squash` does not, `border` keeps it by the long side. */
  cropMode: "center" | "squash" | "border";
  /** Levels of the channels beyond the image's edge. */
  fill?: number[];
  /** Moves each image by whole pixels, up to so many along each axis, drawn by its key; black where nothing is left. */
  translate?: number;
  /** As in training. */
  permutePixels?: number;
}

export type Transform = TrainTransform | EvalTransform;

const IMAGENET_MEAN: readonly number[] = [0.485, 0.456, 0.406];
const IMAGENET_STD: readonly number[] = [0.229, 0.224, 0.225];

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
    const { cropPct, translate = 0 } = transform;
    if (!(cropPct > 0 && cropPct <= 1)) fail(`cropPct ${cropPct} is not in (0, 1]`);
    if (!(Number.isInteger(translate) && translate >= 0))
      fail(`translate ${translate} is not a whole number of pixels`);
    return;
  }
  const { scale, ratio, padding } = transform;
  if (!(scale[0] > 0 && scale[0] <= scale[1] && scale[1] <= 1)) {
    fail(`scale ${scale.join(" to ")} is not a range in (0, 1]`);
  }
  if (!(ratio[0] > 0 && ratio[0] <= ratio[1])) fail(`ratio ${ratio.join(" to ")} is not a range above 0`);
  if (!(Number.isInteger(padding) && padding >= 0)) fail(`padding ${padding} is not a whole number of pixels`);
  checkColors(transform, fail);
  for (const { name } of transform.augment ?? []) {
    if (!Object.hasOwn(augmentations, name)) {
      fail(`no augmentation "${name}"; there are ${Object.keys(augmentations).join(", ")}`);
    }
  }
}

const PROBABILITIES = [
  ...(["hflip", "vflip", "colorJitterProb", "grayscaleProb"] as const),
  ...(["gaussianBlurProb", "solarizeProb", "reprob"] as const),
];

function checkColors(transform: TrainTransform, fail: (what: string) => void): void {
  for (const name of PROBABILITIES) {
    const p = transform[name] ?? 0;
    if (!(p >= 0 && p <= 1)) fail(`${name} ${p} is not a probability`);
  }
  const { aa, colorJitter = 0, remode = "const", recount = 1, mean = IMAGENET_MEAN, std = IMAGENET_STD } = transform;
  if (aa !== undefined) parseAutoAugment(aa);
  const jitter = [colorJitter].flat();
  if (![1, 3, 4].includes(jitter.length) || !jitter.every((v) => v >= 0 && v < 1e3) || (jitter[3] ?? 0) > 0.5) {
    fail(`colorJitter ${jitter.join(" ")} is not one, three or four numbers of at least 0, a hue of at most 0.5`);
  }
  if (!["const", "rand", "pixel"].includes(remode)) fail(`remode ${remode} is not const, rand or pixel`);
  if (!(Number.isInteger(recount) && recount >= 1 && recount <= 1000)) fail(`recount ${recount} is not in 1 .. 1000`);
  if (![...mean, ...std].every((v) => v >= 0 && v < 1e3) || mean.length !== std.length) {
    fail(`mean ${mean.join(" ")} and std ${std.join(" ")} are not a number a channel`);
  }
}

/** The augmentations that a training transform stands for, in order. */
export function augmentSteps(transform: TrainTransform): AugmentStep[] {
  const { crop, scale, ratio, padding, interpolation, hflip, vflip = 0, augment = [] } = transform;
  const steps: AugmentStep[] = [
    crop === "rrc"
      ? { name: "randomResizedCrop", scale, ratio, interpolation }
      : { name: "randomCrop", padding, interpolation },
  ];
  if (hflip > 0) steps.push({ name: "horizontalFlip", p: hflip });
  if (vflip > 0) steps.push({ name: "verticalFlip", p: vflip });
  steps.push(...colorSteps(transform), ...augment);
  const { reprob = 0, remode = "const", recount = 1, mean = IMAGENET_MEAN, std = IMAGENET_STD } = transform;
  if (reprob > 0) steps.push({ name: "randomErasing", p: reprob, mode: remode, count: recount, mean, std });
  return steps;
}

function colorSteps(transform: TrainTransform): AugmentStep[] {
  const { aa, colorJitter = 0, colorJitterProb = 1 } = transform;
  const { grayscaleProb = 0, gaussianBlurProb = 0, solarizeProb = 0 } = transform;
  const steps: AugmentStep[] = [];
  const plan = aa === undefined ? undefined : parseAutoAugment(aa);
  if (plan) steps.push({ ...plan, ...policySettings(transform, plan) });
  const [brightness, contrast = brightness, saturation = brightness, hue = 0] = [colorJitter].flat();
  const jitters = Math.max(brightness, contrast, saturation, hue) > 0 && !turnsJitterOff(aa);
  if (jitters) steps.push({ name: "colorJitter", p: colorJitterProb, brightness, contrast, saturation, hue });
  if (grayscaleProb > 0) steps.push({ name: "randomGrayscale", p: grayscaleProb });
  if (gaussianBlurProb > 0) {
    steps.push({ name: "randomGaussianBlur", p: gaussianBlurProb, sigma: [0.1, 2], taps: 23 });
  }
  if (solarizeProb > 0) steps.push({ name: "randomSolarize", p: solarizeProb, threshold: 128 });
  return steps;
}

/** timm's rule: automatic augmentation stands in for colour jitter, but 3-Augment goes with it. */
export const turnsJitterOff = (aa: string | undefined): boolean => aa !== undefined && !aa.includes("3a");

function policySettings(transform: TrainTransform, { name }: AutoAugmentPlan): PolicySettings {
  const { size, interpolation, mean = IMAGENET_MEAN } = transform;
  return {
    fill: mean.map((m) => Math.min(255, roundHalfEven(255 * m))),
    filters: interpolation === "random" ? ["bilinear", "bicubic"] : [interpolation],
    translateConst: Math.trunc(Math.min(...size) * 0.45),
    translatePct: name === "augMix" ? 0.3 : 0.45,
  };
}

const plans = new WeakMap<TrainTransform, AugmentStep[]>();

/** `augmentSteps`, once a transform. */
function plannedSteps(transform: TrainTransform): AugmentStep[] {
  const steps = plans.get(transform) ?? augmentSteps(transform);
  plans.set(transform, steps);
  return steps;
}

/** timm's evaluation: resize (only the pixels that the crop keeps are computed), then centre crop. */
export function evalFrame(transform: EvalTransform, width: number, height: number): Frame {
  const { size, cropPct, interpolation, cropMode } = transform;
  const scaled = size.map((v) => Math.floor(v / cropPct));
  let whole = { width: scaled[1], height: scaled[0] };
  if (cropMode === "center" && scaled[0] === scaled[1]) whole = shortSideSize(width, height, scaled[0]);
  else if (cropMode !== "squash") {
    const reduction = Math[cropMode === "border" ? "max" : "min"](height / scaled[0], width / scaled[1]);
    whole = { width: roundHalfEven(width / reduction), height: roundHalfEven(height / reduction) };
  }
  const { x, y } = centerWindow(whole.width, whole.height, size[1], size[0]);
  return { box: { x: 0, y: 0, width, height }, ...whole, x, y, filter: interpolation, flip: false };
}

/** The window moved by up to `translate` pixels each way; the draw is of the sample alone. */
function moved(frame: Frame, translate: number, { seed, index }: SampleKey): Frame {
  const random = keyed(seed, index, "translate");
  const shift = () => random.int(2 * translate + 1) - translate;
  return { ...frame, x: frame.x + shift(), y: frame.y + shift() };
}

/** Puts the pixels of planar [C, H, W] in the order of a seed, the same in every channel and image. */
function permutePixels(out: Uint8Array, [height, width]: readonly [number, number], seed: number): void {
  const order = pixelOrder(height * width, seed);
  for (let start = 0; start < out.length; start += order.length) {
    const plane = out.slice(start, start + order.length);
    for (let i = 0; i < order.length; i++) out[start + i] = plane[order[i]];
  }
}

const pixelOrders = new Map<string, Uint32Array>();

/** A permutation of `count` pixels, made once. */
function pixelOrder(count: number, seed: number): Uint32Array {
  const name = `${count} ${seed}`;
  const order = pixelOrders.get(name) ?? permutation(count, seed, 0);
  pixelOrders.set(name, order);
  return order;
}

/** Pixels beyond the frame's image, by channel. */
function fillBorder(out: Uint8Array, { x, y, width, height }: Frame, size: readonly number[], fill: number[]): void {
  for (let i = 0; i < out.length; i++) {
    const column = x + (i % size[1]);
    const row = y + (Math.floor(i / size[1]) % size[0]);
    if (column < 0 || row < 0 || column >= width || row >= height)
      out[i] = fill[Math.floor(i / (size[0] * size[1]))] ?? 0;
  }
}

export interface SampleKey {
  seed: number;
  epoch: number;
  /** The sample's index in the dataset. */
  index: number;
  /** How often the epoch has had it before; default 0. */
  repeat?: number;
}

/**
 * One image -> planar [C, H, W] bytes in `out`, C = `inChans` (1: ITU-R 601 luma). Every augmentation draws from its
 * own stream, keyed by sample, repeat and name, so adding one changes none of the others.
 */
export function applyTransform(
  transform: Transform,
  image: PixelImage,
  inChans: 1 | 3,
  key: SampleKey,
  out: Uint8Array,
): void {
  renderSample(transform, image, inChans, key, out);
  if (transform.permutePixels !== undefined) permutePixels(out, transform.size, transform.permutePixels);
}

/** An augmentation with its settings and the sample's own stream of it. */
interface Drawn {
  step: AugmentStep;
  augmentation: Augmentation<AugmentStep>;
  random: Random;
}

function drawnSteps(transform: TrainTransform, key: SampleKey): Drawn[] {
  const repeat = key.repeat ? [key.repeat] : [];
  return plannedSteps(transform).map((step, i, all) => {
    const earlier = all.slice(0, i).filter((other) => other.name === step.name).length;
    return {
      step,
      augmentation: augmentations[step.name] as Augmentation<AugmentStep>,
      random: keyed(key.seed, key.epoch, key.index, step.name, earlier, ...repeat),
    };
  });
}

function trainFrame(steps: readonly Drawn[], context: FrameContext): Frame {
  let frame = wholeFrame(context, "bicubic");
  for (const { step, augmentation, random } of steps) {
    frame = augmentation.frame?.(frame, step, random, context) ?? frame;
  }
  return frame;
}

/** The part of a picture of this size that a sample's pixels come from. */
export function sourceBox(transform: Transform, width: number, height: number, key: SampleKey): Rect {
  if (transform.kind === "eval") return { x: 0, y: 0, width, height };
  return trainFrame(drawnSteps(transform, key), { width, height, size: transform.size }).box;
}

/** The frame on a part of the picture, which holds its box. */
const onPart = (frame: Frame, { x, y }: Rect): Frame => ({
  ...frame,
  box: { ...frame.box, x: frame.box.x - x, y: frame.box.y - y },
});

function renderSample(transform: Transform, image: PixelImage, inChans: 1 | 3, key: SampleKey, out: Uint8Array): void {
  const { size } = transform;
  const source = inChans === 1 ? toGrey(image) : image;
  const within = image.within ?? { x: 0, y: 0, width: image.width, height: image.height };
  const { width, height } = within;
  if (transform.kind === "eval") {
    const centred = evalFrame(transform, width, height);
    const frame = transform.translate ? moved(centred, transform.translate, key) : centred;
    renderFrame(source, onPart(frame, within), size, out);
    if (transform.cropMode === "border") fillBorder(out, frame, size, transform.fill ?? []);
    return;
  }
  const steps = drawnSteps(transform, key);
  renderFrame(source, onPart(trainFrame(steps, { width, height, size }), within), size, out);
  const planar: PlanarImage = { data: out, channels: inChans, width: size[1], height: size[0] };
  for (const { step, augmentation, random } of steps) augmentation.pixels?.(planar, step, random);
}
