import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import type { ImageDataset } from "../../data/dataset.ts";
import { TesseraeError } from "../../errors.ts";
import { count, type EngineFlags, withEngine, workersFlag } from "../flags.ts";
import { listed, percent, plural, print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { noteSkipped, open, withPredictor } from "../trained.ts";

interface EvalFlags extends EngineFlags {
  batchSize: number;
  workers?: number;
  strict?: boolean;
  json?: boolean;
}

export const evalCommand = (): CommandDefinition => ({
  example: "eval runs/shapes shapes",
  command: withEngine(
    new Command("eval")
      .description("measure a trained model on a folder of images")
      .argument("<model>", "run folder (its best checkpoint), checkpoint or .onnx file")
      .argument("<data>", "DATA/val/CLASS/*, or a folder of classes: all of it, or what the run on it held out")
      .addOption(new Option("-b, --batch-size <n>", "images per run").argParser(count).default(64))
      .addOption(workersFlag())
      .option("--strict", "a file that cannot be read is an error instead of being skipped and named")
      .option("--json", 'print {"images", "top1", "top5", "loss", "imagesPerSecond", "skipped"}'),
  ).action(run),
});

async function run(path: string, data: string, flags: EvalFlags): Promise<void> {
  const trained = await open(path);
  const { dataset, part } = await heldOut(path, data);
  const labelled = withLabelsOf(trained.spec.classes, dataset);
  const { createLoader } = await import("../../node/loader.ts");
  const { transformOf, channelsOf } = await import("../../node/predictor.ts");
  const loader = createLoader({
    dataset: labelled,
    transform: transformOf(trained.spec),
    inChans: channelsOf(trained.spec),
    batchSize: Math.min(flags.batchSize, labelled.samples.length),
    shuffle: false,
    dropLast: false,
    seed: 0,
    workers: flags.workers ?? 1,
    strict: flags.strict,
  });
  const meter = createMeter("evaluating");
  try {
    const started = performance.now();
    const metrics = await withPredictor(trained, flags, (p) =>
      p.evaluate(loader, (done, total) => meter.show(done, total)),
    );
    const imagesPerSecond = (1000 * metrics.count) / (performance.now() - started);
    meter.close();
    noteSkipped(loader.skipped);
    const { top1, top5, loss, count: images } = metrics;
    const skipped = Object.fromEntries(loader.skipped);
    if (flags.json) return printJson({ images, top1, top5, loss, imagesPerSecond, skipped });
    print(`top-1 ${percent(top1)}  top-5 ${percent(top5)}  loss ${loss.toFixed(4)}`);
    print(`${plural(images, "image")} (${part}), ${Math.round(imagesPerSecond)} a second`);
  } finally {
    meter.close();
    await loader.close();
  }
}

interface Part {
  dataset: ImageDataset;
  part: string;
}

/** DATA's own val; else what the run that was trained on this very folder held out; else all of DATA. */
async function heldOut(model: string, data: string): Promise<Part> {
  const { openImageFolder } = await import("../../node/folder.ts");
  const { train: all, val } = await openImageFolder(data, { valFraction: 0 });
  if (val.samples.length > 0) return { dataset: val, part: val.root };
  const split = await splitOf(model, data);
  if (!split) return { dataset: all, part: `all of ${data}` };
  return { dataset: (await openImageFolder(data, split)).val, part: `the part of ${data} that the run held out` };
}

/** How the run folder `model` split `data`; undefined where it was trained on something else. */
async function splitOf(model: string, data: string): Promise<{ valFraction: number; seed: number } | undefined> {
  const { CONFIG_FILE } = await import("../../node/run-folder.ts");
  const text = await readFile(join(model, CONFIG_FILE), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { data: own, settings } = JSON.parse(text);
    const { valFraction, seed } = settings;
    return resolve(own) === resolve(data) && valFraction > 0 ? { valFraction, seed } : undefined;
  } catch {
    return undefined;
  }
}

/** The folder's classes as the model numbers them. */
function withLabelsOf(classes: readonly string[], dataset: ImageDataset): ImageDataset {
  const index = new Map(classes.map((name, i) => [name, i]));
  const unknown = dataset.classes.filter((name) => !index.has(name));
  if (unknown.length > 0)
    throw new TesseraeError(
      "data",
      `the model does not know the class${unknown.length > 1 ? "es" : ""} ${listed(unknown, 5)}`,
      {
        where: dataset.root,
        hint: `It knows ${listed(classes, 5)}`,
      },
    );
  const samples = dataset.samples.map(({ path, label }) => ({
    path,
    label: index.get(dataset.classes[label]) as number,
  }));
  return { ...dataset, classes: [...classes], samples };
}
