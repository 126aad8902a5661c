import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { IMPORTED } from "../models/imported.ts";
import { createModel } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { headNames } from "../models/pretrained.ts";
import { type ModelSpec, modelOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import { writeSafetensors } from "../weights/safetensors.ts";
import { writeFileAtomic } from "./atomic-write.ts";

/** Options that timm takes from pretrained_cfg, or that matter in training only. */
const ELSEWHERE = new Set(["num_classes", "in_chans", "img_size", "drop_rate", "drop_path_rate", "global_pool"]);

/** The config.json of timm's Hub layout. Throws TesseraeError("usage") for a model that is no architecture of timm's. */
export function timmConfig(spec: ModelSpec): object {
  const model = modelOf(spec);
  if (model.name === IMPORTED)
    throw new TesseraeError("usage", "is a graph of an ONNX file, which timm has no architecture for", {
      where: model.name,
      hint: "Export it as ONNX",
    });
  const { mean, std, interpolation, crop_pct, crop_mode = "center" } = spec.preprocessing;
  const { numClasses, inputShape } = model;
  const head = [...headNames(model)].filter((name) => model.slots.some((slot) => slot.name === name));
  return {
    architecture: model.name,
    num_classes: numClasses,
    global_pool: model.options.global_pool,
    ...modelArguments(model),
    pretrained_cfg: {
      ...{ custom_load: false, input_size: inputShape, fixed_input_size: hasTables(model) },
      ...{ interpolation, crop_pct, crop_mode, mean, std, num_classes: numClasses },
      first_conv: moduleOf(model.slots.find(({ shape }) => shape.length === 4)?.name),
      classifier: moduleOf(head[0]),
      ...(spec.license && { license: spec.license }),
      ...(numClasses > 0 && { label_names: spec.classes }),
      ...(spec.descriptions && { label_descriptions: described(spec.classes, spec.descriptions) }),
    },
    ...(numClasses > 0 && { label_names: spec.classes }),
    ...(spec.descriptions && { label_descriptions: described(spec.classes, spec.descriptions) }),
  };
}

const moduleOf = (slot = ""): string => slot.replace(/\.[^.]*$/, "");

const described = (classes: readonly string[], texts: readonly string[]): object =>
  Object.fromEntries(classes.map((name, i) => [name, texts[i]]));

/** Models with tables for one image size: timm builds them for it. */
const hasTables = ({ slots }: Model): boolean => slots.some(({ grid, window }) => grid ?? window);

/** What differs from the architecture's own options, as keyword arguments of timm's. */
function modelArguments(model: Model): { model_args?: object } {
  const own = createModel(model.name).options as Readonly<Record<string, unknown>>;
  const changed = Object.entries(model.options).filter(
    ([key, value]) => !ELSEWHERE.has(key) && JSON.stringify(own[key]) !== JSON.stringify(value),
  );
  return changed.length > 0 ? { model_args: Object.fromEntries(changed) } : {};
}

/**
 * Writes a model in timm's Hub layout: FOLDER/config.json and FOLDER/model.safetensors, each whole or not at all. Throws
 * TesseraeError("usage" | "io").
 */
export async function writeTimmFolder(folder: string, spec: ModelSpec, weights: Weights): Promise<void> {
  const config = `${JSON.stringify(timmConfig(spec), null, 2)}\n`;
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw new TesseraeError("io", `the folder cannot be made (${cause.code})`, { where: folder, cause });
  });
  const metadata = new Map([["format", "pt"]]);
  await writeFileAtomic(join(folder, "model.safetensors"), writeSafetensors(weights, metadata));
  await writeFileAtomic(join(folder, "config.json"), config);
}
