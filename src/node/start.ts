import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import { createModel, type ModelOptions } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { stemWeights } from "../models/pretrained-stem.ts";
import type { ModelSpec } from "../models/spec.ts";
import { initialize } from "../models/trace.ts";
import { openPretrained } from "./model-files.ts";
import { loadPretrained, type Pretrained, pretrainedModel, reportLines } from "./pretrained.ts";
import type { TrainSettings } from "./settings/index.ts";

/** Where a run's weights begin. */
export interface Start {
  /** The model, with the preprocessing that the weights were trained with. */
  build(name: string, options: ModelOptions): Model;
  /** Its first weights, and what became of the source's, in lines for people. */
  weights(model: Model, seed: number): { weights: Map<string, TensorData>; lines: readonly string[] };
  /** What the run's spec keeps of the source. */
  readonly facts: Pick<ModelSpec, "license">;
}

const ANEW: Start = {
  build: createModel,
  weights: (model, seed) => ({ weights: initialize(model, seed), lines: [] }),
  facts: {},
};

/**
 * Opens what --pretrained or --pretrained-stem names. Without --model the source says which model it is.
 * Throws TesseraeError("usage" | "io" | "weights").
 */
export async function startOf(
  settings: TrainSettings,
  given: { readonly model?: string },
): Promise<{ settings: TrainSettings; start: Start }> {
  const { pretrained, pretrainedStem } = settings;
  if (pretrained !== undefined && pretrainedStem !== undefined)
    throw new TesseraeError("usage", "--pretrained and --pretrained-stem are two beginnings: give one");
  if (pretrainedStem !== undefined) return { settings, start: fromStem(await openPretrained(pretrainedStem)) };
  if (pretrained === undefined) return { settings, start: ANEW };
  const source = await openPretrained(pretrained);
  const model = given.model ?? source.model ?? pretrainedModel(source).name;
  return { settings: { ...settings, model }, start: fromSource(source) };
}

const fromSource = (source: Pretrained): Start => ({
  build: (name, options) => pretrainedModel(source, options, name),
  weights: (model, seed) => {
    const { weights, report } = loadPretrained(model, source, { seed });
    return { weights, lines: reportLines(source, report) };
  },
  facts: source.license ? { license: source.license } : {},
});

const fromStem = (source: Pretrained): Start => ({
  ...ANEW,
  weights: (model, seed) => {
    const { weights, report } = stemWeights(model, source.tensors, { seed, where: source.path });
    return { weights, lines: reportLines(source, report) };
  },
  facts: source.license ? { license: source.license } : {},
});
