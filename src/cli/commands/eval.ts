import { Command, Option } from "commander";
import { type ClassQuality, Confusion } from "../../train/confusion.ts";
import { count, type EngineFlags, whole, withEngine, workersFlag } from "../flags.ts";
import { type HeldOutFlags, heldOut, withHeldOut, withLabelsOf } from "../held-out.ts";
import { percent, plural, print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { noteSkipped, open, type PreparationFlags, preparationOf, withPredictor, withPreparation } from "../trained.ts";

interface EvalFlags extends EngineFlags, PreparationFlags, HeldOutFlags {
  batchSize: number;
  workers?: number;
  translate?: number;
  confusion?: string;
  perClass?: boolean;
  json?: boolean;
}

export const evalCommand = (): CommandDefinition => ({
  example: "eval runs/shapes shapes",
  command: withEngine(
    withPreparation(
      withHeldOut(
        new Command("eval")
          .description("measure a trained model on an image set")
          .argument("<model>", "run folder (its best checkpoint), checkpoint, .onnx file, weights or model on the hub")
          .argument("<data>", "an image set: its val, or all of it, or what the run on it held out"),
      )
        .addOption(new Option("-b, --batch-size <n>", "images per run").argParser(count).default(64))
        .addOption(workersFlag())
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
