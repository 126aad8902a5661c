import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { type OnnxModel, readMetadata } from "../graph/onnx.ts";
import { resizeModel, resizeWeights } from "../models/resize.ts";
import { checkWeights, type ModelSpec, modelOf, parseSpec, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { isCheckpointFolder, manifestFile } from "../train/checkpoint.ts";
import { exportOnnx, SPEC_KEY } from "../train/export.ts";
import { averageName } from "../train/step.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { errorCode, ioError } from "./file-system.ts";

import { importBytes } from "./import-file.ts";

import {
  loadPretrained,
  openPretrainedFile,
  openPretrainedFolder,
  type Pretrained,
  pretrainedModel,
  pretrainedSpec,
} from "./pretrained.ts";
import { WEIGHT_FILES } from "./weight-files.ts";

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

/**
 * Opens a run folder (its best checkpoint, or the newest where none was evaluated), a checkpoint's folder, an exported
 * ONNX file, a folder of timm's Hub layout, or a file of weights. Throws TesseraeError("io" | "weights").
 */
export async function openTrained(path: string): Promise<TrainedModel> {
  const kind = await sourceKind(path);
  if (kind === "onnx") return openOnnx(path);
  if (kind === "run") return fromRun(path);
  return fromPretrained(kind === "folder" ? await openPretrainedFolder(path) : await openPretrainedFile(path));
}

/** What a path is: ONNX, a run or checkpoint of ours, a folder of the Hub's layout, or a file of weights. */
async function sourceKind(path: string): Promise<"onnx" | "run" | "folder" | "file"> {
  if (!(await kindOf(path))) return WEIGHT_FILES.test(path) ? "file" : "onnx";
  if (await exists(join(path, manifestFile))) return "run";
  const names = await readdir(path);
  if (names.some(isCheckpointFolder)) return "run";
  return names.some((name) => WEIGHT_FILES.test(name)) ? "folder" : "run";
}

const fromRun = async (path: string): Promise<TrainedModel & { kind: "weights" }> =>
  fromCheckpoint((await exists(join(path, manifestFile))) ? await loadCheckpoint(path) : await bestOf(path));

function fromPretrained(source: Pretrained): TrainedModel & { kind: "weights" } {
  const model = pretrainedModel(source);
  const { weights, report } = loadPretrained(model, source);
  const fresh =
    report.freshHead.length > 0 ? ["its classifier is not in the file: it begins anew, and knows nothing"] : [];
  const others = source.others.length > 0 ? [`taken for ${model.name}; it may be ${source.others.join(", ")}`] : [];
  const warnings = [...fresh, ...others];
  return { kind: "weights", path: source.path, spec: pretrainedSpec(source, model), weights, warnings };
}

/** What `--pretrained` takes: a run or checkpoint of ours, a folder of the Hub's layout, or a file of weights. */
export async function openPretrained(path: string): Promise<Pretrained> {
  const kind = await sourceKind(path);
  if (kind === "folder") return openPretrainedFolder(path);
  if (kind === "file") return openPretrainedFile(path);
  if (kind === "onnx")
    throw new TesseraeError("weights", "is no file of weights", {
      where: path,
      hint: "Name a .safetensors, .pth, .bin or .npz file, a folder with config.json, or a run folder",
    });
  const { spec, weights } = await fromRun(path);
  const { name, options, preprocessing, classes, descriptions, license } = spec;
  const facts = { model: name, options, preprocessing, classes, descriptions, license };
  return { path, layout: "tesserae", tensors: weights, unused: [], others: [], ...facts };
}

/** Weights of a checkpoint: the averages where they were kept. */
export function fromCheckpoint(checkpoint: LoadedCheckpoint): TrainedModel & { kind: "weights" } {
  const { path, model, optimizer, meta, warnings } = checkpoint;
  const spec = parseSpec(meta.spec, path);
  const weights = new Map([...model].map(([name, t]) => [name, optimizer.get(averageName(name)) ?? t]));
  checkWeights(modelOf(spec), weights, path);
  return { kind: "weights", path, spec, weights, warnings };
}

async function bestOf(run: string): Promise<LoadedCheckpoint> {
  const store = createCheckpointStore(run, { history: Number.MAX_SAFE_INTEGER, readOnly: true });
  const found = (await store.best()) ?? (await store.latest());
  if (!found)
    throw new TesseraeError("weights", "holds no checkpoint", {
      where: run,
      hint: "Name a run folder, a checkpoint or an .onnx file",
    });
  return found;
}

async function kindOf(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (errorCode(error) === "ENOENT")
      throw new TesseraeError("io", "no such file or folder", {
        where: path,
        hint: "Name a run folder, a checkpoint or an .onnx file",
      });
    throw ioError("cannot open the model", error, { where: path });
  }
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function openOnnx(path: string): Promise<TrainedModel> {
  const model = new Uint8Array(
    await readFile(path).catch((error) => Promise.reject(ioError("cannot read the model", error, { where: path }))),
  );
  let json: string | undefined;
  try {
    json = readMetadata(model).get(SPEC_KEY);
  } catch {
    throw new TesseraeError("weights", "is not a run folder, a checkpoint or an ONNX model", { where: path });
  }
  if (json === undefined) return fromForeign(model, path);
  return {
    kind: "onnx",
    path,
    spec: parseSpec(JSON.parse(json), path),
    onnx: { model, external: await externalOf(path) },
    warnings: [],
  };
}

/** A file that something else wrote: its graph is read, its classes are numbers. */
async function fromForeign(bytes: Uint8Array, path: string): Promise<TrainedModel> {
  const { model, weights, report, warnings } = await importBytes(bytes, path);
  const spec = specOf(
    model,
    Array.from({ length: model.numClasses }, (_, i) => String(i)),
  );
  return { kind: "weights", path, spec, weights, report, warnings };
}

/** Weights kept beside a large model, under the name that exports give them. */
async function externalOf(path: string): Promise<OnnxModel["external"]> {
  const location = `${basename(path)}.data`;
  const file = join(dirname(resolve(path)), location);
  return (await exists(file)) ? { location, chunks: [new Uint8Array(await readFile(file))] } : undefined;
}

export interface ExportFileOptions {
  /** Images per run; absent: free. */
  readonly batch?: number;
  /** Side of the images, where it is not the trained one: position tables are resampled. */
  readonly imgSize?: number;
}

/** A trained model at another image size. Throws TesseraeError where the architecture cannot take it. */
function resized(trained: TrainedModel & { kind: "weights" }, imgSize: number): TrainedModel & { kind: "weights" } {
  const from = modelOf(trained.spec);
  const to = resizeModel(from, imgSize);
  const weights = resizeWeights(from, to, trained.weights);
  checkWeights(to, weights, trained.path);
  return { ...trained, spec: specOf(to, trained.spec.classes), weights };
}

/** Writes a trained model as ONNX, never half: weights above the limit of a protobuf go to FILE.data beside it. */
export async function exportFile(
  trained: TrainedModel,
  file: string,
  { batch, imgSize }: ExportFileOptions = {},
): Promise<void> {
  if (trained.kind === "onnx")
    throw new TesseraeError("usage", "is ONNX already", {
      where: trained.path,
      hint: "Export from a run folder or a checkpoint",
    });
  const { spec, weights } = imgSize === undefined ? trained : resized(trained, imgSize);
  const { model, external } = exportOnnx(modelOf(spec), spec, weights, {
    batch,
    externalLocation: `${basename(file)}.data`,
  });
  if (external) await writeFileAtomic(join(dirname(file), external.location), external.chunks);
  await writeFileAtomic(file, model);
}
