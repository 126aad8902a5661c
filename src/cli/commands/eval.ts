import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { Command, Option } from "commander";
import { type ImageDataset, relabel } from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";
import { settings } from "../../node/settings/index.ts";
import type { DatasetKind } from "../../node/sources/kinds.ts";
import type { OpenDataOptions } from "../../node/sources/open-data.ts";
import { type ClassQuality, Confusion } from "../../train/confusion.ts";
import { count, type EngineFlags, whole, withEngine, workersFlag } from "../flags.ts";
import { listed, percent, plural, print, printJson, table, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { optionOf } from "../train-flags.ts";
import { noteSkipped, open, type PreparationFlags, preparationOf, withPredictor, withPreparation } from "../trained.ts";

interface EvalFlags extends EngineFlags, PreparationFlags {
  batchSize: number;
  workers?: number;
  strict?: boolean;
  split?: string;
  dataset?: DatasetKind;
  labelColumn?: string;
  dataRoot?: string;
  translate?: number;
  confusion?: string;
  perClass?: boolean;
  json?: boolean;
}

export const evalCommand = (): CommandDefinition => ({
  example: "eval runs/shapes shapes",
  command: withEngine(
    withPreparation(
      new Command("eval")
        .description("measure a trained model on an image set")
        .argument("<model>", "run folder (its best checkpoint), checkpoint, .onnx file, weights or model on the hub")
        .argument("<data>", "an image set: its val, or all of it, or what the run on it held out")
        .addOption(new Option("-b, --batch-size <n>", "images per run").argParser(count).default(64))
        .addOption(workersFlag())
        .addOption(optionOf(settings.dataset))
        .option("--split <name>", "part of DATA to measure on (default: val, validation, valid or test)")
        .addOption(optionOf(settings.labelColumn))
        .addOption(optionOf(settings.dataRoot))
        .option("--strict", "a file that cannot be read is an error instead of being skipped and named")
        .addOption(
          new Option(
            "--translate <pixels>",
            "move each image by up to so many pixels along each axis, the same for every model",
          ).argParser(whole),
        )
        .option("--confusion <file>", "write the confusion matrix: .csv, .json, .svg or .png")
        .option("--per-class", "print a row for each class, worst first")
        .option("--json", 'print {"images", "top1", "top5", "loss", "imagesPerSecond", "skipped", "perClass"?}'),
    ),
  ).action(run),
});

async function run(path: string, data: string, flags: EvalFlags): Promise<void> {
  const trained = await open(path, preparationOf(flags));
  const { dataset, part } = await heldOut(path, data, flags);
  const { checkConfusionName, writeConfusion } = await import("../../node/class-quality.ts");
  if (flags.confusion !== undefined) checkConfusionName(flags.confusion, trained.spec.classes.length);
  const labelled = withLabelsOf(trained.spec.classes, dataset);
  const { createLoader } = await import("../../node/loader.ts");
  const { transformOf, channelsOf } = await import("../../train/predictor.ts");
  const loader = createLoader({
    dataset: labelled,
    transform: { ...transformOf(trained.spec), translate: flags.translate },
    inChans: channelsOf(trained.spec),
    batchSize: Math.min(flags.batchSize, labelled.samples.length),
    shuffle: false,
    dropLast: false,
    seed: 0,
    workers: flags.workers ?? 1,
    strict: flags.strict,
  });
  const confusion = new Confusion(trained.spec.classes);
  const meter = createMeter("evaluating");
  try {
    const started = performance.now();
    const metrics = await withPredictor(trained, flags, (p) =>
      p.evaluate(loader, { onBatch: (done, total) => meter.show(done, total), meters: [confusion] }),
    );
    const imagesPerSecond = (1000 * metrics.count) / (performance.now() - started);
    meter.close();
    noteSkipped(loader.skipped);
    const { top1, top5, loss, count: images } = metrics;
    const skipped = Object.fromEntries(loader.skipped);
    if (flags.confusion !== undefined) await writeConfusion(flags.confusion, confusion);
    const perClass = flags.perClass ? confusion.perClass : undefined;
    if (flags.json) return printJson({ images, top1, top5, loss, imagesPerSecond, skipped, perClass });
    if (perClass) for (const line of classTable(perClass)) print(line);
    print(`top-1 ${percent(top1)}  top-5 ${percent(top5)}  loss ${loss.toFixed(4)}`);
    print(`${plural(images, "image")} (${part}), ${Math.round(imagesPerSecond)} a second`);
  } finally {
    meter.close();
    await loader.close();
  }
}

/** Worst first; classes without images are left out. */
function classTable(classes: readonly ClassQuality[]): string[] {
  const share = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(2));
  const rows = classes
    .filter(({ images }) => images > 0)
    .sort((a, b) => (a.accuracy as number) - (b.accuracy as number))
    .map(({ name, images, accuracy, precision, f1, mistakenFor }) => [
      ...[name, images, share(accuracy), share(precision), share(f1)],
      mistakenFor ? `${mistakenFor.name} (${mistakenFor.images})` : "",
    ]);
  return table(["class", "images", "accuracy %", "precision %", "F1 %", "mistaken for"], rows);
}

interface Part {
  dataset: ImageDataset;
  part: string;
}

/** A part of DATA by name, its own val, what the run that was trained on it held out, or all of DATA. */
async function heldOut(model: string, data: string, flags: EvalFlags): Promise<Part> {
  const { openData, openSplit } = await import("../../node/sources/open-data.ts");
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
  const { CONFIG_FILE } = await import("../../node/run-folder.ts");
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
function withLabelsOf(classes: readonly string[], dataset: ImageDataset): ImageDataset {
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
