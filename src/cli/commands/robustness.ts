import { Command, Option } from "commander";
import pc from "picocolors";
import { CORRUPTIONS, checkCorruptions, corruptionNames } from "../../data/corrupt/index.ts";
import { meanByCorruption, meanTop1, type Robustness, robustnessDrawing } from "../../explain/robustness.ts";
import { count, type EngineFlags, globsOf, whole, withEngine, workersFlag } from "../flags.ts";
import { type HeldOutFlags, heldOut, withHeldOut, withLabelsOf } from "../held-out.ts";
import { percent, plural, print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { noteSkipped, open, type PreparationFlags, preparationOf, withPreparation } from "../trained.ts";

interface RobustnessFlags extends EngineFlags, PreparationFlags, HeldOutFlags {
  corruption: string[];
  limit: number;
  seed: number;
  workers?: number;
  output: string;
  json?: boolean;
}

const SOURCE =
  "Hendrycks and Dietterich 2019, Benchmarking Neural Network Robustness; patches: Naseer et al. 2021, Intriguing Properties of Vision Transformers";

export const robustnessCommand = (): CommandDefinition => ({
  example: "robustness runs/shapes shapes --limit 64",
  command: withEngine(
    withPreparation(
      withHeldOut(
        new Command("robustness")
          .description("measure a trained model on noisy, blurred, weathered, compressed and broken images")
          .argument("<model>", "run folder, checkpoint, .onnx file, weights or model on the hub")
          .argument("<data>", "an image set, as eval takes it"),
      )
        .addOption(
          new Option("--corruption <names>", "corruptions, by commas; list: their names and severities")
            .argParser(globsOf)
            .default([], "all"),
        )
        .addOption(
          new Option("--limit <n>", "images at most, at even distances in the set").argParser(count).default(256),
        )
        .addOption(new Option("--seed <n>", "of what the corruptions draw").argParser(whole).default(0))
        .addOption(workersFlag())
        .option("-o, --output <dir>", "folder of robustness.svg, .png and .json", "figures")
        .option("--json", 'print {"images", "seed", "clean", "corrupted", "mean", "files", "skipped"}'),
    ),
  ).action(run),
});

async function run(path: string, data: string, flags: RobustnessFlags): Promise<void> {
  if (flags.corruption.includes("list")) return list();
  const corruptions = flags.corruption.length === 0 ? corruptionNames : [...new Set(flags.corruption)];
  checkCorruptions(corruptions);
  const trained = await open(path, preparationOf(flags));
  const { dataset, part } = await heldOut(path, data, flags);
  const labelled = withLabelsOf(trained.spec.classes, dataset);
  const { createEngine } = await import("../../node/engine.ts");
  const { writeDrawing } = await import("../../node/explain.ts");
  const { measureRobustness } = await import("../../node/robustness.ts");
  const engine = await createEngine(flags);
  const meter = createMeter("corruptions");
  try {
    const { limit, seed, workers, strict } = flags;
    const onProgress = (done: number, total: number) => meter.show(done, total);
    const found = await measureRobustness(trained, labelled, engine, {
      ...{ corruptions, limit, seed, workers, strict, onProgress },
    });
    meter.close();
    noteSkipped(found.skipped);
    const { skipped, ...robustness } = found;
    const { svg, png, json } = await writeDrawing("robustness", robustnessDrawing(robustness), SOURCE, flags.output);
    const mean = meanTop1(robustness);
    if (flags.json)
      return printJson({ ...robustness, mean, files: { svg, png, json }, skipped: Object.fromEntries(skipped) });
    for (const line of severityTable(robustness)) print(line);
    print(`${plural(robustness.images, "image")} (${part}): top-1 ${percent(robustness.clean.top1)} as they are`);
    if (mean !== undefined) print(`mean over corruptions but patches: ${percent(mean)}`);
    print(svg);
  } finally {
    meter.close();
    await engine.dispose();
  }
}

function list(): void {
  for (const name of corruptionNames)
    print(
      `${pc.bold(name.padEnd(18))} ${CORRUPTIONS[name].family.padEnd(8)} ${pc.dim(CORRUPTIONS[name].levels.join(" | "))}`,
    );
}

/** Top-1 in percent: a row a corruption, a column a severity. */
function severityTable(robustness: Robustness): string[] {
  const most = Math.max(...robustness.corrupted.map((c) => c.severity));
  const severities = Array.from({ length: most }, (_, i) => i + 1);
  const rows = [...meanByCorruption(robustness)].map(([name, mean]) => {
    const own = robustness.corrupted.filter((c) => c.corruption === name);
    const cells = severities.map((s) => own.find((c) => c.severity === s)?.top1.toFixed(1) ?? "");
    return [name, ...cells, mean.toFixed(1)];
  });
  return table(["corruption", ...severities.map(String), "mean"], rows);
}
