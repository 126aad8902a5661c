import { Command, Option } from "commander";
import { settings } from "../../node/settings/index.ts";
import type { DatasetKind } from "../../node/sources/kinds.ts";
import { count, type EngineFlags, withEngine, workersFlag } from "../flags.ts";
import { hubReporter } from "../hub.ts";
import { plural, print, printJson, shellWords, warn } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { optionOf } from "../train-flags.ts";
import { noteSkipped, type PreparationFlags, preparationOf, withPreparation } from "../trained.ts";

interface EmbedFlags extends EngineFlags, PreparationFlags {
  model: string;
  output: string;
  split?: string;
  dataset?: DatasetKind;
  labelColumn?: string;
  dataRoot?: string;
  batchSize: number;
  workers?: number;
  strict?: boolean;
  cache: boolean;
  json?: boolean;
}

export const embedCommand = (): CommandDefinition => ({
  example: "embed photos --model tf_efficientnet_lite0 -o photos.parquet",
  command: withEngine(
    withPreparation(
      new Command("embed")
        .description("write the features of images, with their paths and labels")
        .argument("<data>", "an image set, or any folder of images")
        .requiredOption("--model <source>", "run folder, .onnx file, weights or model on the hub")
        .requiredOption(
          "-o, --output <file>",
          "features.npy (with features.csv), .parquet, or .db for `tesserae search`",
        )
        .option("--split <name>", "part of DATA (default: all of it)")
        .addOption(optionOf(settings.dataset))
        .addOption(optionOf(settings.labelColumn))
        .addOption(optionOf(settings.dataRoot))
        .addOption(new Option("-b, --batch-size <n>", "images per run").argParser(count).default(32))
        .addOption(workersFlag())
        .option("--strict", "a file that cannot be read is an error instead of being skipped and named")
        .option("--no-cache", "compute features anew, and keep none")
        .option("--json", 'print {"images", "dim", "files", "skipped"}'),
    ),
  ).action(run),
});

async function run(data: string, flags: EmbedFlags): Promise<void> {
  const { checkEmbeddingFile, writeEmbeddings } = await import("../../node/embedding-files.ts");
  const { embed, openEmbedder } = await import("../../node/embed.ts");
  const { weightsHash } = await import("../../node/feature-cache.ts");
  const { openImageParts } = await import("../../node/image-parts.ts");
  const { createEngine } = await import("../../node/engine.ts");
  checkEmbeddingFile(flags.output);
  const { split, dataset, labelColumn, dataRoot, strict } = flags;
  const { parts, notes } = await openImageParts(data, { split, dataset, labelColumn, dataRoot, strict });
  notes.forEach(warn);
  const hub = hubReporter();
  const embedder = await openEmbedder(flags.model, { ...hub, ...preparationOf(flags) }).finally(hub.onProgress.close);
  const engine = await createEngine(flags);
  const meter = createMeter("features");
  try {
    const { batchSize, workers, cache } = flags;
    const onProgress = (done: number, total: number) => meter.show(done, total);
    const found = await embed(embedder, parts, engine, {
      batchSize,
      workers,
      strict,
      cache,
      onProgress,
      onWarning: warn,
    });
    meter.close();
    noteSkipped(found.skipped);
    const { imgSize, preprocessing } = preparationOf(flags);
    const weights = weightsHash(embedder.weights);
    const files = await writeEmbeddings(flags.output, found, { model: flags.model, imgSize, preprocessing, weights });
    const images = found.images.length;
    if (flags.json) return printJson({ images, dim: found.dim, files, skipped: Object.fromEntries(found.skipped) });
    print(`${plural(images, "image")}, ${found.dim} features each -> ${files.join(", ")}`);
    if (flags.output.endsWith(".db")) print(`next:\n  tesserae search IMAGE --index ${shellWords([flags.output])}`);
  } finally {
    meter.close();
    await engine.dispose();
  }
}
