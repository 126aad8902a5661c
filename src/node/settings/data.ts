import type { Interpolation } from "../../data/transform.ts";
import { anyWhole, part, probability, setting, wholeFrom } from "./setting.ts";

const range: { be: string; ok: (v: readonly [number, number]) => boolean } = {
  be: "two numbers above 0, the smaller first",
  ok: ([a, b]) => a > 0 && a <= b && Number.isFinite(b),
};

export const data = {
  valFraction: setting<number>({
    flag: "--val-fraction <part>",
    kind: "number",
    default: 0.2,
    help: "part of each class held out where DATA has no val",
    must: part,
  }),
  crop: setting<"rrc" | "pad">({
    flag: "--crop <kind>",
    kind: ["rrc", "pad"],
    default: "rrc",
    help: "rrc: random resized crop; pad: pad and crop, for small images",
  }),
  cropPadding: setting<number>({
    flag: "--crop-padding <pixels>",
    kind: "number",
    default: 4,
    help: "padding of --crop pad on every side",
    must: wholeFrom(0),
  }),
  scale: setting<readonly [number, number]>({
    flag: "--scale <a b>",
    kind: "pair",
    default: [0.08, 1],
    help: "area of random resized crops",
    must: range,
  }),
  ratio: setting<readonly [number, number]>({
    flag: "--ratio <a b>",
    kind: "pair",
    default: [3 / 4, 4 / 3],
    help: "aspect of random resized crops (default: 3/4 4/3)",
    must: range,
  }),
  hflip: setting<number>({
    flag: "--hflip <p>",
    kind: "number",
    default: 0.5,
    help: "chance of a horizontal flip",
    must: probability,
  }),
  trainInterpolation: setting<Interpolation>({
    flag: "--train-interpolation <name>",
    kind: ["random", "bilinear", "bicubic"],
    default: "random",
    help: "of training crops",
  }),
  cropPct: setting<number | undefined>({
    flag: "--crop-pct <part>",
    kind: "number",
    default: undefined,
    help: "evaluation keeps this part of the resized image's sides; 1 for small images (default: the model's)",
    must: { be: "in (0, 1]", ok: (v) => v > 0 && v <= 1 },
  }),
  permutePixels: setting<number | undefined>({
    flag: "--permute-pixels <seed>",
    kind: "whole",
    default: undefined,
    help: "after all augmentation, and in evaluation, put the pixels in one fixed order: an experiment on inductive bias",
    must: anyWhole,
  }),
  workers: setting<number>({
    flag: "-j, --workers <n>",
    kind: "whole",
    default: 1,
    help: "data workers, 0 for none",
    must: wholeFrom(0),
    free: true,
  }),
  strict: setting<boolean>({
    flag: "--strict",
    kind: "switch",
    default: false,
    help: "a file that cannot be read is an error instead of being skipped and named",
    free: true,
  }),
  seed: setting<number>({
    flag: "--seed <n>",
    kind: "whole",
    default: 42,
    help: "of weights, order, splits and all augmentation",
    must: anyWhole,
  }),
};
