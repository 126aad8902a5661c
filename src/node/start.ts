import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import { IMPORTED } from "../models/imported.ts";
import { createModel, type ModelOptions } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { stemWeights } from "../models/pretrained-stem.ts";
import type { ModelSpec } from "../models/spec.ts";
import { initialize } from "../models/trace.ts";
import type { ResolveOptions } from "./hub/index.ts";
import { type OpenOptions, openPretrained } from "./model-files.ts";
import { givenPreprocessing } from "./preprocessing.ts";
import { loadPretrained, type Pretrained, pretrainedModel, reportLines } from "./pretrained.ts";
import type { TrainSettings } from "./settings/index.ts";

/** Where a run's weights begin. */
export interface Start {
  /** The model, with the preprocessing that the weights were trained with. */
  build(name: string, options: ModelOptions): Model;
  /** Its first weights, drawn only when they are asked for, and what became of the source's, in lines for people. */
  weights(model: Model, seed: number): { weights: () => Map<string, TensorData>; lines: readonly string[] };
  /** What the run's spec keeps of the source. */
  readonly facts: Pick<ModelSpec, "license">;
}

const ANEW: Start = {
  build: createModel,
  weights: (model, seed) => ({ weights: () => initialize(model, seed), lines: [] }),
  facts: {},
};

/**
 * Opens what --pretrained or --pretrained-stem names. Without --model the source says which model it is; a graph from an
 * ONNX file is always its own. Throws TesseraeError("usage" | "io" | "weights" | "model").
 */
export async function startOf(
  settings: TrainSettings,
  given: { readonly model?: string },
  hub: ResolveOptions = {},
): Promise<{ settings: TrainSettings; start: Start }> {
  const { pretrained, pretrainedStem } = settings;
  if (pretrained !== undefined && pretrainedStem !== undefined)
    throw new TesseraeError("usage", "--pretrained and --pretrained-stem are two beginnings: give one");
  if (pretrainedStem !== undefined) return { settings, start: fromStem(await openPretrained(pretrainedStem, hub)) };
  if (pretrained === undefined) return { settings, start: ANEW };
  const source = await openPretrained(pretrained, { ...hub, ...tellingOf(settings) });
  if (source.model === IMPORTED && given.model !== undefined)
    throw new TesseraeError("usage", "an ONNX file is its own model: leave --model out", { where: pretrained });
  const name = given.model ?? source.model ?? pretrainedModel(source).name;
  return { settings: { ...settings, model: name }, start: fromSource(source) };
}

/** What an ONNX file of others does not say itself. */
const tellingOf = (s: TrainSettings): OpenOptions => ({
  imgSize: s.imgSize,
  output: s.onnxOutput,
  features: s.onnxFeatures,
  preprocessing: givenPreprocessing(s),
});

const fromSource = (source: Pretrained): Start => ({
  build: (name, options) => pretrainedModel(source, options, name),
  weights: (model, seed) => {
    const { weights, report } = loadPretrained(model, source, { seed });
    return { weights: () => weights, lines: reportLines(source, report) };
  },
  facts: source.license ? { license: source.license } : {},
});

const fromStem = (source: Pretrained): Start => ({
  ...ANEW,
  weights: (model, seed) => {
    const { weights, report } = stemWeights(model, source.tensors, { seed, where: source.path });
    return { weights: () => weights, lines: reportLines(source, report) };
  },
  facts: source.license ? { license: source.license } : {},
});
