import { Command } from "commander";
import pc from "picocolors";
import { addFrozenFlags, type FrozenFlags, withFrozen } from "../frozen.ts";
import { percent, print, printJson, shellWords } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { noteSkipped, RUNS } from "../trained.ts";

export const probeCommand = (): CommandDefinition => ({
  example: "probe photos --pretrained tf_efficientnet_lite0 --output runs/probe",
  command: addFrozenFlags(
    new Command("probe")
      .description("fit a linear classifier on the features of a frozen model; leaves a run folder")
      .argument("<data>", "an image set, as `train` takes it")
      .option("--output <dir>", "run folder itself (default: runs/TIME-probe)"),
  ).action(run),
});

async function run(data: string, { output, ...flags }: FrozenFlags & { output?: string }): Promise<void> {
  const { linearProbe } = await import("../../node/probe.ts");
  const time = new Date().toISOString().slice(0, 19).replaceAll(":", "-");
  const result = await withFrozen(data, flags, (options) =>
    linearProbe({ ...options, output: output ?? `${RUNS}/${time}-probe` }),
  );
  noteSkipped(result.skipped);
  const { metrics, decay, crossValidated, onnx } = result;
  if (flags.json)
    return printJson({
      ...metrics,
      decay,
      crossValidated,
      output: result.output,
      skipped: Object.fromEntries(result.skipped),
    });
  print(`top-1 ${percent(metrics.top1)}  top-5 ${percent(metrics.top5)}  loss ${metrics.loss.toFixed(4)}`);
  print(`weight decay ${decay.toPrecision(2)}, by cross-validation (top-1 ${percent(crossValidated.top1)})`);
  print(`${pc.bold("run folder")}  ${result.output}`);
  print(`${pc.bold("model")}       ${onnx}`);
  print("next:");
  print(`  tesserae predict IMAGE --model ${shellWords([result.output])}`);
  print(`  tesserae finetune ${shellWords([data])} --pretrained ${shellWords([flags.pretrained as string])}`);
}
