import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TesseraeError } from "../errors.ts";
import { type OnnxModel, readMetadata } from "../graph/onnx.ts";
import { mergeAdapters } from "../models/adapters.ts";
import type { Preprocessing } from "../models/model.ts";
import { checkWeights, type ModelSpec, modelOf, parseSpec, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import { checkLimits } from "../onnx/limits.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { exportedSpec, exportedWeights } from "../train/export.ts";
import { averageName } from "../train/step.ts";
import { createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { ioError } from "./file-system.ts";
import type { ResolveOptions } from "./hub/index.ts";
import { importBytes, readExternal } from "./import-file.ts";
import { locate } from "./locate.ts";
import { perChannel } from "./preprocessing.ts";
import {
  loadPretrained,
  openPretrainedFile,
  openPretrainedFolder,
  type Pretrained,
  pretrainedModel,
  pretrainedSpec,
} from "./pretrained.ts";
import { resized } from "./resized.ts";
import { CONFIG_FILE } from "./run-folder.ts";
import { type Source, sourceAt } from "./source-kind.ts";

/** A trained model found on disk: with weights of ours, or as ONNX. */
export type TrainedModel =
  | {
      readonly kind: "weights";
      readonly path: string;
      readonly spec: ModelSpec;
      readonly weights: Weights;
      readonly warnings: readonly string[];
      /** What was found in a file of another exporter, a line each. */
      readonly report?: readonly string[];
    }
  | {
      readonly kind: "onnx";
      readonly path: string;
      readonly spec: ModelSpec;
      readonly onnx: OnnxModel;
      readonly warnings: readonly string[];
    };

export interface OpenOptions extends ResolveOptions {
  /** Side of the images: tables of positions are resampled. Default: the model's; 224 where an ONNX file leaves it open. */
  readonly imgSize?: number;
  /** Of an ONNX file of others: its output that holds the scores, and the tensor to classify by. */
  readonly output?: string;
  readonly features?: string;
  /** An export of ours as the weights that it was made of, not as the program it is. */
  readonly asWeights?: boolean;
  /** Preprocessing, where the source does not tell or tells wrong. */
  readonly preprocessing?: Partial<Preprocessing>;
}

/**
 * Opens a run folder (its best checkpoint, or the newest where none was evaluated), a checkpoint's folder, an ONNX file,
 * a folder of timm's Hub layout, a file of weights, or any of these on the hub. Throws TesseraeError("io" | "weights").
 */
export async function openTrained(text: string, options: OpenOptions = {}): Promise<TrainedModel> {
  const { kind, path, license } = await find(text, options);
  const trained =
    kind !== "onnx"
      ? await openWeights({ kind, path, license })
      : options.asWeights
        ? fromPretrained(await openGraph(path, options))
        : await openOnnx(path, options);
  const sized = options.imgSize === undefined ? trained : resized(trained, options.imgSize);
  const { spec } = sized;
  const preprocessing = { ...spec.preprocessing, ...perChannel(options.preprocessing ?? {}, spec.inputShape[0]) };
  return { ...sized, spec: { ...spec, preprocessing, ...(license && !spec.license && { license }) } };
}

const openWeights = async (source: Source & { license?: string }): Promise<TrainedModel> =>
  source.kind === "run" || source.kind === "checkpoint" ? fromRun(source) : fromPretrained(await openPublished(source));

/** Where the text's source lies and what it is; one of the hub is downloaded. */
async function find(text: string, options: ResolveOptions): Promise<Source & { license?: string }> {
  const { path, hub } = await locate(text, options);
  return { ...(await sourceAt(path)), license: hub?.license };
}

const fromRun = async ({ kind, path }: Source): Promise<TrainedModel & { kind: "weights" }> =>
  fromCheckpoint(kind === "checkpoint" ? await loadCheckpoint(path) : await bestOf(path));

function fromPretrained(source: Pretrained): TrainedModel & { kind: "weights" } {
  const model = pretrainedModel(source);
  const { weights, report } = loadPretrained(model, source);
  const fresh =
    report.freshHead.length > 0 ? ["its classifier is not in the file: it begins anew, and knows nothing"] : [];
  const others = source.others.length > 0 ? [`taken for ${model.name}; it may be ${source.others.join(", ")}`] : [];
  const warnings = [...fresh, ...others];
  return { kind: "weights", path: source.path, spec: pretrainedSpec(source, model), weights, warnings };
}

const openPublished = async ({ kind, path, license }: Source & { license?: string }): Promise<Pretrained> => {
  const source = await (kind === "folder" ? openPretrainedFolder(path) : openPretrainedFile(path));
  return { ...source, license: source.license ?? license };
};

/**
 * What `--pretrained` takes: a run or checkpoint of ours, a folder of the Hub's layout, a file of weights, an ONNX file,
 * or the name of a model on the hub. Throws TesseraeError("io" | "usage" | "weights" | "model").
 */
export async function openPretrained(text: string, options: OpenOptions = {}): Promise<Pretrained> {
  const found = await find(text, options);
  return openSource(found, options);
}

async function openSource(found: Source & { license?: string }, options: OpenOptions): Promise<Pretrained> {
  if (found.kind === "folder" || found.kind === "file") return openPublished(found);
  if (found.kind === "onnx") return { ...(await openGraph(found.path, options)), license: found.license };
  const { path, spec, weights } = await fromRun(found);
  return { path, layout: "tesserae", tensors: weights, unused: [], others: [], ...factsOf(spec) };
}

/** What a spec says of weights. */
const factsOf = ({ name, options, preprocessing, classes, descriptions, license }: ModelSpec) => ({
  model: name,
  options,
  preprocessing,
  classes,
  descriptions,
  license,
});

/** An ONNX file as weights to begin with: an export of ours as its own architecture, any other as the graph it is. */
async function openGraph(path: string, options: OpenOptions): Promise<Pretrained> {
  const bytes = await readOnnxFile(path);
  const own = await ownExport(bytes, path);
  const tensors = own && exportedWeights(own.onnx, modelOf(own.spec));
  if (own && tensors) return { path, layout: "tesserae", tensors, unused: [], others: [], ...factsOf(own.spec) };
  const { imgSize, output, features } = options;
  const preprocessing = { ...own?.spec.preprocessing, ...options.preprocessing };
  const { model, weights, report, warnings } = await importBytes(bytes, path, {
    ...{ imgSize, output, features },
    ...(Object.keys(preprocessing).length > 0 && { preprocessing }),
  });
  const { name, options: built } = model;
  return {
    ...{ path, layout: "ONNX", tensors: weights, unused: [], others: [], model: name, options: built },
    ...{ preprocessing: model.preprocessing, classes: own?.spec.classes, notes: [...report, ...warnings] },
  };
}

/** Weights of a checkpoint: the averages where they were kept, adapters merged. */
export function fromCheckpoint(checkpoint: LoadedCheckpoint): TrainedModel & { kind: "weights" } {
  const { path, model, optimizer, meta, warnings } = checkpoint;
  const { lora, ...spec } = parseSpec(meta.spec, path);
  const saved = new Map([...model].map(([name, t]) => [name, optimizer.get(averageName(name)) ?? t]));
  const weights = lora ? mergeAdapters(saved, lora, path) : saved;
  checkWeights(modelOf(spec), weights, path);
  return { kind: "weights", path, spec, weights, warnings };
}

/** Which metrics a run calls better: its config.json knows what its checkpoints are measured by. */
async function betterOf(run: string): Promise<"higher" | "lower"> {
  const text = await readFile(join(run, CONFIG_FILE), "utf8").catch(() => "{}");
  try {
    return JSON.parse(text)?.settings?.evalMetric === "loss" ? "lower" : "higher";
  } catch {
    return "higher";
  }
}

async function bestOf(run: string): Promise<LoadedCheckpoint> {
  const options = { history: Number.MAX_SAFE_INTEGER, better: await betterOf(run), readOnly: true };
  const store = createCheckpointStore(run, options);
  const found = (await store.best()) ?? (await store.latest());
  if (!found)
    throw new TesseraeError("weights", "holds no checkpoint", {
      where: run,
      hint: "Name a run folder, a checkpoint or an .onnx file",
    });
  return found;
}

async function openOnnx(path: string, options: OpenOptions): Promise<TrainedModel> {
  const bytes = await readOnnxFile(path);
  const own = await ownExport(bytes, path);
  return own ? { kind: "onnx", path, ...own, warnings: [] } : fromForeign(bytes, path, options);
}

const readOnnxFile = async (path: string): Promise<Uint8Array> =>
  new Uint8Array(
    await readFile(path).catch((error) => Promise.reject(ioError("cannot read the model", error, { where: path }))),
  );

/** The spec of an export of ours; undefined for a file that something else wrote. */
async function ownExport(model: Uint8Array, path: string): Promise<{ spec: ModelSpec; onnx: OnnxModel } | undefined> {
  const spec = exportedSpec(metadataOf(model, path), path);
  return spec && { spec, onnx: { model, external: await externalOf(model, path) } };
}

function metadataOf(model: Uint8Array, path: string): Map<string, string> {
  try {
    checkLimits(model);
    return readMetadata(model);
  } catch {
    throw new TesseraeError("weights", "is not a run folder, a checkpoint or an ONNX model", { where: path });
  }
}

/** Weights that an export of ours keeps in one file beside it. */
async function externalOf(model: Uint8Array, path: string): Promise<OnnxModel["external"]> {
  const files = [...(await readExternal(model, path))];
  if (files.length > 1) throw new TesseraeError("weights", "keeps its weights in several files", { where: path });
  return files.length === 0 ? undefined : { location: files[0][0], chunks: [files[0][1]] };
}

/** A file that something else wrote: its graph is read, its classes are numbers. */
async function fromForeign(bytes: Uint8Array, path: string, options: OpenOptions): Promise<TrainedModel> {
  const { imgSize, output, features, preprocessing } = options;
  const { model, weights, report, warnings } = await importBytes(bytes, path, {
    ...{ imgSize, output, features, preprocessing },
  });
  const spec = specOf(
    model,
    Array.from({ length: model.numClasses }, (_, i) => String(i)),
  );
  return { kind: "weights", path, spec, weights, report, warnings };
}
