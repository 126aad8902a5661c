import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { TesseraeError } from "../errors.ts";
import type { OpenOptions, TrainedModel } from "../node/model-files.ts";
import type { Predictor } from "../node/predictor.ts";
import { givenPreprocessing, type PreparationSettings } from "../node/preprocessing.ts";
import { settings } from "../node/settings/index.ts";
import type { EngineFlags } from "./flags.ts";
import { note, warn } from "./output.ts";
import { optionOf } from "./train-flags.ts";

/** Where `train` puts its runs when it is not told. */
export const RUNS = "runs";

/** The run under runs/ that was written to last. Throws TesseraeError("usage") where there is none. */
export async function newestRun(folder = RUNS): Promise<string> {
  const { isRunFolder } = await import("../node/run-folder.ts");
  const names = await readdir(folder).catch(() => []);
  const runs: { path: string; time: number }[] = [];
  for (const name of names) {
    const path = join(folder, name);
    if (await isRunFolder(path)) runs.push({ path, time: (await stat(path)).mtimeMs });
  }
  const newest = runs.sort((a, b) => b.time - a.time || (a.path < b.path ? 1 : -1))[0];
  if (!newest)
    throw new TesseraeError("usage", `no model is named, and there is no run under ${folder}`, {
      hint: "Name a run folder, a checkpoint or an .onnx file with --model",
    });
  return newest.path;
}

/** How images are prepared, where the model does not say, or says otherwise. */
export interface PreparationFlags extends PreparationSettings {
  imgSize?: number;
  onnxOutput?: string;
}

const PREPARATION = ["imgSize", "mean", "std", "interpolation", "cropPct"] as const;

/** Adds the flags of `PreparationFlags`. */
export function withPreparation(command: Command): Command {
  for (const name of PREPARATION) command.addOption(optionOf(settings[name]));
  return command.option(
    "--onnx-output <name>",
    "output that holds the scores of an ONNX file of others (default: found)",
  );
}

/** The same for `open`. */
export const preparationOf = (flags: PreparationFlags): OpenOptions => ({
  imgSize: flags.imgSize,
  output: flags.onnxOutput,
  preprocessing: givenPreprocessing(flags),
});

export async function open(source: string, options: OpenOptions = {}): Promise<TrainedModel> {
  const { openTrained } = await import("../node/model-files.ts");
  const { hubReporter } = await import("./hub.ts");
  const hub = hubReporter();
  const trained = await openTrained(source, { ...hub, ...options }).finally(hub.onProgress.close);
  for (const line of trained.warnings) warn(line);
  return trained;
}

/** Opens a model, runs `use` with it loaded into an engine, and closes both. */
export async function withPredictor<T>(
  trained: TrainedModel,
  { device, threads }: EngineFlags,
  use: (predictor: Predictor) => Promise<T>,
): Promise<T> {
  const { createEngine } = await import("../node/engine.ts");
  const { createPredictor } = await import("../node/predictor.ts");
  const engine = await createEngine({ device, threads });
  try {
    const predictor = await createPredictor(trained, engine);
    try {
      return await use(predictor);
    } finally {
      await predictor.dispose();
    }
  } finally {
    await engine.dispose();
  }
}

/** At most a few of the files that could not be read, by name. */
export function noteSkipped(skipped: ReadonlyMap<string, string>, most = 5): void {
  if (skipped.size === 0) return;
  warn(
    `${skipped.size} ${skipped.size === 1 ? "file" : "files"} could not be read and ${skipped.size === 1 ? "was" : "were"} skipped:`,
  );
  for (const [path, reason] of [...skipped].slice(0, most)) note(`  ${path}: ${reason}`);
  if (skipped.size > most) note(`  and ${skipped.size - most} more`);
}
