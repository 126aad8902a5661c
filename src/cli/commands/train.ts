import { Command } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import type { TrainSettings } from "../../node/settings/index.ts";
import type { TrainResult } from "../../node/train.ts";
import type { TrainOptions } from "../../node/train-options.ts";
import { readConfig } from "../config.ts";
import { onInterrupt } from "../interrupt.ts";
import { note, percent, print, shellWords } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { createTrainDisplay } from "../progress.ts";
import { Exit, INTERRUPTED } from "../report.ts";
import { addTrainFlags, DEFAULT_LOG_INTERVAL, mergeFlags, type TrainFlags } from "../train-flags.ts";
import { noteSkipped } from "../trained.ts";

export const trainCommand = (): CommandDefinition => {
  const command = addTrainFlags(
    new Command("train")
      .description("train a model on a folder of images")
      .argument("[data]", "DATA/train/CLASS/* with DATA/val/CLASS/*, or one folder of classes, split by --seed"),
  );
  command.action((data: string | undefined, flags: TrainFlags) => runTraining(data, flags, command));
  return {
    example:
      "train shapes --model vit_tiny_patch16_224 --img-size 32 --model-kwargs patch_size=4 embed_dim=96 depth=4 num_heads=3" +
      " --crop pad --epochs 10 --lr 1e-3 --output runs/shapes",
    command,
  };
};

/** `train`, or with other defaults what is made of it: trains and says what to do next. */
export async function runTraining(
  data: string | undefined,
  given: TrainFlags,
  command: Command,
  defaults: Partial<TrainSettings> = {},
): Promise<void> {
  const config = given.config === undefined ? {} : await readConfig(given.config, command);
  const { logInterval, config: _, debug: __, ...merged } = mergeFlags(given, config, defaults);
  const flags = { ...defaults, ...merged };
  const folder = data ?? flags.data;
  const hint = `tesserae ${command.name()} DATA ...`;
  if (folder === undefined) throw new TesseraeError("usage", "no folder of images is named", { hint });
  const { train } = await import("../../node/train.ts");
  const { downloadMeter } = await import("../hub.ts");
  const onDownload = downloadMeter();
  const display = createTrainDisplay({ logInterval: logInterval ?? DEFAULT_LOG_INTERVAL });
  const interrupt = onInterrupt((line) => display.note(line));
  const options: TrainOptions = {
    ...flags,
    data: folder,
    onEvent: (event) => {
      if (event.type === "start") onDownload.close();
      display.event(event);
    },
    onDownload,
    signal: interrupt.signal,
  };
  let result: TrainResult;
  try {
    result = await train(options);
  } finally {
    onDownload.close();
    display.close();
    interrupt.release();
  }
  noteSkipped(result.skipped);
  if (result.interrupted) {
    note(`interrupted after step ${result.steps}; saved in ${result.output}. Go on with:`);
    note(`  tesserae ${resumeCommand(result.output)}`);
    throw new Exit(INTERRUPTED);
  }
  finish(result, folder);
}

/** The command as it was given, but going on with the run folder. */
function resumeCommand(output: string): string {
  const words = process.argv.slice(2);
  const named = words.some((w) => w === "--output" || w.startsWith("--output="));
  const kept = words.filter((w, i) => {
    const value = words[i - 1] === "--resume" && !w.startsWith("-");
    return !value && w !== "--resume" && !w.startsWith("--resume=");
  });
  return shellWords([...kept, ...(named ? [] : ["--output", output]), "--resume", "auto"]);
}

function finish({ output, onnx, report, epochs }: TrainResult, data: string): void {
  const last = epochs.at(-1);
  const quality = last?.valAverage ?? last?.val;
  print(`${pc.bold("run folder")}  ${output}`);
  if (onnx) print(`${pc.bold("model")}       ${onnx}`);
  if (report) print(`${pc.bold("report")}      ${report}`);
  if (quality) print(`${pc.bold("last epoch")}  top-1 ${percent(quality.top1)}  top-5 ${percent(quality.top5)}`);
  print("next:");
  print(`  tesserae eval ${shellWords([output, data])}`);
  print(`  tesserae report ${shellWords([output])}`);
  print(`  tesserae predict IMAGE --model ${shellWords([output])}`);
  print(`  tesserae export ${shellWords([output])} -o model.onnx --batch 1`);
}
