import { type Command, Option } from "commander";
import type { ModelOptions } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { settings } from "../node/settings/index.ts";
import { count, type EngineFlags } from "./flags.ts";
import { optionOf } from "./train-flags.ts";

/** Flags of commands that run a named model on made-up images. */
export interface SampleFlags extends EngineFlags {
  batchSize: number;
  imgSize?: number;
  modelKwargs?: ModelOptions;
}

export const withSample = (command: Command): Command =>
  command
    .addOption(new Option("-b, --batch-size <n>", "images of a step").argParser(count).default(16))
    .addOption(new Option("--img-size <pixels>", "side of the images (default: the model's)").argParser(count))
    .addOption(optionOf(settings.modelOptions));

export async function sampleModel(name: string, { imgSize, modelKwargs }: SampleFlags): Promise<Model> {
  const { createModel } = await import("../index.ts");
  return createModel(name, { ...modelKwargs, ...(imgSize !== undefined && { img_size: imgSize }) });
}
