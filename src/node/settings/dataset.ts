import { SAMPLERS, type Sampler } from "../../data/order.ts";
import { DATASETS, type DatasetKind } from "../sources/kinds.ts";
import { atLeast, setting, wholeFrom } from "./setting.ts";

export const dataset = {
  dataset: setting<DatasetKind | undefined>({
    flag: "--dataset <kind>",
    kind: DATASETS,
    default: undefined,
    help: "what DATA holds (default: found by looking)",
  }),
  trainSplit: setting<string | undefined>({
    flag: "--train-split <name>",
    kind: "text",
    default: undefined,
    help: "part of DATA to train on (default: train, or the only one)",
  }),
  valSplit: setting<string | undefined>({
    flag: "--val-split <name>",
    kind: "text",
    default: undefined,
    help: "part of DATA to evaluate on (default: val, validation, valid or test; else a part of train)",
  }),
  trainFraction: setting<number>({
    flag: "--train-fraction <part>",
    kind: "number",
    default: 1,
    help: "part of each class of train that is trained on, chosen by --seed; what is left plays no part",
    must: { be: "in (0, 1]", ok: (v) => v > 0 && v <= 1 },
  }),
  folds: setting<number | undefined>({
    flag: "--folds <k>",
    kind: "count",
    default: undefined,
    help: "cross-validation: split train into k folds, of which one is val",
    must: wholeFrom(2),
  }),
  fold: setting<number | undefined>({
    flag: "--fold <i>",
    kind: "whole",
    default: undefined,
    help: "the fold that is val, from 0",
    must: wholeFrom(0),
  }),
  labelColumn: setting<string | undefined>({
    flag: "--label-column <name>",
    kind: "text",
    default: undefined,
    help: "column of labels of a CSV list or Parquet file; fine or coarse of CIFAR-100",
  }),
  dataRoot: setting<string | undefined>({
    flag: "--data-root <dir>",
    kind: "text",
    default: undefined,
    help: "where the paths of a CSV list start (default: its folder)",
    free: true,
  }),
  sampler: setting<Sampler>({
    flag: "--sampler <name>",
    kind: SAMPLERS,
    default: "uniform",
    help: "balanced: as many of each class; weighted: by a CSV's column weight and --class-weight",
  }),
  classWeight: setting<Readonly<Record<string, unknown>> | undefined>({
    flag: "--class-weight <class=weight>",
    kind: "keyValue",
    default: undefined,
    help: "how often --sampler weighted draws a class, beside 1 for the others; may be repeated",
    must: {
      be: "a number of 0 or more for each class",
      ok: (given) => Object.values(given).every((v) => typeof v === "number" && v >= 0 && v < Infinity),
    },
  }),
  augRepeats: setting<number>({
    flag: "--aug-repeats <n>",
    kind: "count",
    default: 1,
    help: "repeated augmentation: each image so many times in a row, fewer images an epoch (DeiT: 3)",
    must: wholeFrom(1),
  }),
  shuffleBuffer: setting<number>({
    flag: "--shuffle-buffer <n>",
    kind: "count",
    default: 4096,
    help: "images within which those of tar and Parquet files are mixed",
    must: wholeFrom(1),
  }),
  cacheMb: setting<number>({
    flag: "--cache-mb <MiB>",
    kind: "number",
    default: 256,
    help: "memory for decoded images, of train and val each; 0 for none",
    must: atLeast(0),
    free: true,
  }),
};
