import { Command, Option } from "commander";
import type { ModelOptions } from "../../models/index.ts";
import { settings } from "../../node/settings/index.ts";
import type { Measured } from "../../node/tuning/measure.ts";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { optionOf } from "../train-flags.ts";

interface TuneFlags extends EngineFlags {
  model: string;
  batchSize: number;
  imgSize?: number;
  modelKwargs?: ModelOptions;
  again?: boolean;
  json?: boolean;
}

export const tuneCommand = (): CommandDefinition => ({
  example: "tune --model resnet18 -b 16",
  command: withEngine(
    new Command("tune")
      .description("measure which forms of a training step's operators are fastest here; later runs use them")
      .option("--model <name>", "name of a model", "vit_tiny_patch16_224")
      .addOption(new Option("-b, --batch-size <n>", "images of a step").argParser(count).default(16))
      .addOption(new Option("--img-size <pixels>", "side of the images (default: the model's)").argParser(count))
      .addOption(optionOf(settings.modelOptions))
      .option("--again", "measure again what is known")
      .option("--json", "print one object"),
  ).action(run),
});

async function run(flags: TuneFlags): Promise<void> {
  const { model: name, batchSize, imgSize, modelKwargs, again, json } = flags;
  const { createModel, TesseraeError } = await import("../../index.ts");
  if ((flags.device ?? "cpu") !== "cpu")
    throw new TesseraeError("usage", "operators have several forms on the CPU only", { hint: "Use --device cpu" });
  const { tuneModel } = await import("../../node/tuning/tune-model.ts");
  const model = createModel(name, { ...modelKwargs, ...(imgSize !== undefined && { img_size: imgSize }) });
  const meter = createMeter("measuring");
  const onMeasured = (done: number, total: number) => meter.show(done, total);
  const { measured, known, path } = await tuneModel(model, { ...flags, batchSize, again, onMeasured }).finally(() =>
    meter.close(),
  );
  if (json) return printJson({ model: name, batch: batchSize, known, path, measured: Object.fromEntries(measured) });
  print(
    `${name}, ${model.inputShape.join(" x ")}, batch ${batchSize}: ${measured.size} measured, ${known} known before`,
  );
  for (const line of table(["form", "gain", "milliseconds", "operator"], [...measured].map(rowOf))) print(line);
  print(`kept in ${path}`);
}

function rowOf([key, { form, ms }]: readonly [string, Measured]): string[] {
  const times = Object.entries(ms).map(([name, time]) => `${name} ${time.toFixed(1)}`);
  return [form ?? "rule", form === null ? "" : (ms.rule / ms[form]).toFixed(2), times.join(", "), key];
}
