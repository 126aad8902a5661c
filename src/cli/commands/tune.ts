import { Command } from "commander";
import type { Measured } from "../../node/tuning/measure.ts";
import { withEngine } from "../flags.ts";
import { print, printJson, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createMeter } from "../progress.ts";
import { type SampleFlags, sampleModel, withSample } from "../sample-flags.ts";

interface TuneFlags extends SampleFlags {
  model: string;
  again?: boolean;
  json?: boolean;
}

export const tuneCommand = (): CommandDefinition => ({
  example: "tune --model resnet18 -b 16",
  command: withEngine(
    withSample(
      new Command("tune")
        .description("measure which forms of a training step's operators are fastest here; later runs use them")
        .option("--model <name>", "name of a model", "vit_tiny_patch16_224"),
    )
      .option("--again", "measure again what is known")
      .option("--json", "print one object"),
  ).action(run),
});

async function run(flags: TuneFlags): Promise<void> {
  const { model: name, batchSize, again, json } = flags;
  const { TesseraeError } = await import("../../index.ts");
  if ((flags.device ?? "cpu") !== "cpu")
    throw new TesseraeError("usage", "operators have several forms on the CPU only", { hint: "Use --device cpu" });
  const { tuneModel } = await import("../../node/tuning/tune-model.ts");
  const model = await sampleModel(name, flags);
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
