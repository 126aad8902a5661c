import { type Command, Option } from "commander";
import type { FrozenOptions } from "../node/probe.ts";
import { type SettingName, settings } from "../node/settings/index.ts";
import { hubReporter } from "./hub.ts";
import { note, warn } from "./output.ts";
import { createMeter } from "./progress.ts";
import { optionOf } from "./train-flags.ts";

const SHARED: readonly SettingName[] = [
  ...(["model", "imgSize", "modelOptions", "mean", "std", "interpolation", "cropPct"] as const),
  ...(["dataset", "trainSplit", "valSplit", "valFraction", "folds", "fold", "labelColumn", "dataRoot"] as const),
  ...(["seed", "workers", "strict", "batchSize", "device", "threads"] as const),
];

export type FrozenFlags = Partial<Omit<FrozenOptions, "data">> & { json?: boolean; cache?: boolean; debug?: boolean };

/** Flags of commands that judge the features of a frozen model on an image set. */
export function addFrozenFlags(command: Command): Command {
  const { flag, help } = settings.pretrained;
  command.addOption(new Option(flag, help.replace("begin with these weights", "the model")).makeOptionMandatory());
  for (const name of SHARED)
    command.addOption(
      name === "model"
        ? new Option("--model <name>", "its name, where the weights do not tell")
        : optionOf(settings[name]),
    );
  return command
    .option("--no-cache", "compute features anew, and keep none")
    .option("--json", "print the result as JSON");
}

/** Runs `use` with the options that the flags stand for and a progress line. */
export async function withFrozen<T>(
  data: string,
  { json: _, debug: __, ...flags }: FrozenFlags,
  use: (options: FrozenOptions) => Promise<T>,
): Promise<T> {
  const hub = hubReporter();
  const meter = createMeter("features");
  try {
    return await use({
      ...flags,
      data,
      pretrained: flags.pretrained as string,
      hub,
      onNote: note,
      onWarning: warn,
      onProgress: (done, total) => meter.show(done, total),
    });
  } finally {
    hub.onProgress.close();
    meter.close();
  }
}
