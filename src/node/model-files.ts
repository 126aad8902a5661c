import { readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { type OnnxModel, readMetadata } from "../graph/onnx.ts";
import { resizeModel, resizeWeights } from "../models/resize.ts";
import { checkWeights, type ModelSpec, modelOf, parseSpec, specOf } from "../models/spec.ts";
import type { Weights } from "../models/trace.ts";
import type { LoadedCheckpoint } from "../train/checkpoint.ts";
import { manifestFile } from "../train/checkpoint.ts";
import { exportOnnx, SPEC_KEY } from "../train/export.ts";
import { averageName } from "../train/step.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { errorCode, ioError } from "./file-system.ts";

/** A trained model found on disk: with weights of ours, or as ONNX. */
export type TrainedModel =
  | {
      readonly kind: "weights";
      readonly path: string;
      readonly spec: ModelSpec;
      readonly weights: Weights;
      readonly warnings: readonly string[];
    }
  | {
      readonly kind: "onnx";
      readonly path: string;
      readonly spec: ModelSpec;
      readonly onnx: OnnxModel;
      readonly warnings: readonly string[];
    };

/**
 * Opens a run folder (its best checkpoint, or the newest where none was evaluated), a checkpoint's folder, or an
 * exported ONNX file. Throws TesseraeError("io" | "weights").
 */
export async function openTrained(path: string): Promise<TrainedModel> {
  const isFolder = await kindOf(path);
  if (!isFolder) return openOnnx(path);
  const checkpoint = (await exists(join(path, manifestFile))) ? await loadCheckpoint(path) : await bestOf(path);
  return fromCheckpoint(checkpoint);
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
  if (json === undefined)
    throw new TesseraeError("weights", "was not exported by tesserae: it does not say how to prepare images", {
      where: path,
    });
  return {
    kind: "onnx",
    path,
    spec: parseSpec(JSON.parse(json), path),
    onnx: { model, external: await externalOf(path) },
    warnings: [],
  };
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
