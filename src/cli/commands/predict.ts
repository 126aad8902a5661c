import { Command, Option } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import { count, type EngineFlags, withEngine } from "../flags.ts";
import { note, percent, print, printJson } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { Exit, FAILED, oneLine } from "../report.ts";
import { newestRun, open, type PreparationFlags, preparationOf, withPredictor, withPreparation } from "../trained.ts";

interface PredictFlags extends EngineFlags, PreparationFlags {
  model?: string;
  topk: number;
  json?: boolean;
}

export const predictCommand = (): CommandDefinition => ({
  example: "predict shapes/val/star/00000.png --model runs/shapes",
  command: withEngine(
    withPreparation(
      new Command("predict")
        .description("say what images show")
        .argument("<image...>", "image files")
        .option(
          "-m, --model <path>",
          "run folder, checkpoint, .onnx file, weights or model on the hub (default: the newest run under runs/)",
        )
        .addOption(new Option("-k, --topk <n>", "guesses per image").argParser(count).default(5))
        .option("--json", 'print a line per image: {"image", "top": [{"index", "label", "probability"}, ...]}'),
    ),
  ).action(run),
});

async function run(images: string[], { model, topk, json, ...flags }: PredictFlags): Promise<void> {
  const path = model ?? (await newestRun());
  const trained = await open(path, preparationOf(flags));
  if (model === undefined) note(pc.dim(`model: ${path} (${trained.spec.name})`));
  const failed = await withPredictor(trained, flags, async (predictor) => {
    let failed = 0;
    for (const image of images) {
      try {
        const top = await predictor.predict(image, { top: topk });
        if (json) printJson({ image, top });
        else {
          print(pc.bold(image));
          for (const { label, probability } of top) print(`${percent(100 * probability).padStart(10)}  ${label}`);
        }
      } catch (error) {
        if (!(error instanceof TesseraeError && error.code === "data")) throw error;
        note(`error: ${oneLine(error.message)}`);
        failed++;
      }
    }
    return failed;
  });
  if (failed > 0) throw new Exit(FAILED);
}
