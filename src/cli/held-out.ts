import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Command } from "commander";
import { type ImageDataset, relabel } from "../data/dataset.ts";
import { TesseraeError } from "../errors.ts";
import { settings } from "../node/settings/index.ts";
import type { DatasetKind } from "../node/sources/kinds.ts";
import type { OpenDataOptions } from "../node/sources/open-data.ts";
import { listed, warn } from "./output.ts";
import { optionOf } from "./train-flags.ts";

/** Which images of a set a model is measured on. */
export interface HeldOutFlags {
  strict?: boolean;
  split?: string;
  dataset?: DatasetKind;
  labelColumn?: string;
  dataRoot?: string;
}

/** Adds the flags of `HeldOutFlags`. */
export const withHeldOut = (command: Command): Command =>
  command
    .addOption(optionOf(settings.dataset))
    .option("--split <name>", "part of DATA to measure on (default: val, validation, valid or test)")
    .addOption(optionOf(settings.labelColumn))
    .addOption(optionOf(settings.dataRoot))
    .option("--strict", "a file that cannot be read is an error instead of being skipped and named");

export interface HeldOut {
  dataset: ImageDataset;
  part: string;
}

/** A part of DATA by name, its own val, what the run that was trained on it held out, or all of DATA. */
export async function heldOut(model: string, data: string, flags: HeldOutFlags): Promise<HeldOut> {
  const { openData, openSplit } = await import("../node/sources/open-data.ts");
  const own = await settingsOf(model, data);
  const { dataset, split, labelColumn, dataRoot, strict } = flags;
  const given = Object.entries({ dataset, labelColumn, dataRoot, strict }).filter(([, value]) => value !== undefined);
  const options: OpenDataOptions = { ...(own ?? { valFraction: 0 }), ...Object.fromEntries(given) };
  if (split !== undefined) {
    const opened = await openSplit(data, split, options);
    opened.notes.forEach(warn);
    return { dataset: opened.dataset, part: `${split} of ${data}` };
  }
  const { train: all, val, valSplit, notes } = await openData(data, options);
  notes.forEach(warn);
  if (val.samples.length === 0) return { dataset: all, part: `all of ${data}` };
  if (valSplit === undefined) return { dataset: val, part: `the part of ${data} that the run held out` };
  return { dataset: val, part: valSplit === basename(val.root) ? val.root : `${valSplit} of ${data}` };
}

/** How the run folder `model` opened `data`; undefined where it was trained on something else. */
async function settingsOf(model: string, data: string): Promise<OpenDataOptions | undefined> {
  const { CONFIG_FILE } = await import("../node/run-folder.ts");
  const text = await readFile(join(model, CONFIG_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { data: own, settings } = JSON.parse(text);
    if (resolve(own) !== resolve(data)) return undefined;
    const { dataset, trainSplit, valSplit, valFraction, seed, folds, fold, labelColumn, dataRoot } = settings;
    return { dataset, trainSplit, valSplit, valFraction, seed, folds, fold, labelColumn, dataRoot };
  } catch {
    return undefined;
  }
}

/** The folder's classes as the model numbers them. */
export function withLabelsOf(classes: readonly string[], dataset: ImageDataset): ImageDataset {
  const same = relabel(dataset, classes);
  if (same) return same;
  if (classes.length === dataset.classes.length && classes.every((name, i) => name === String(i))) {
    warn("the model's classes are numbers: those of the data are taken in their order");
    return dataset;
  }
  const unknown = dataset.classes.filter((name) => !classes.includes(name));
  const what = `the model does not know the class${unknown.length > 1 ? "es" : ""} ${listed(unknown, 5)}`;
  throw new TesseraeError("data", what, { where: dataset.root, hint: `It knows ${listed(classes, 5)}` });
}
