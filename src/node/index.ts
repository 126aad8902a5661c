/**
 * tesserae in Node: build, train, evaluate, predict with and export vision backbones.
 * @module
 */
export * from "../index.ts";
export { calibrate } from "./calibrate.ts";
export { type CheckpointStore, createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
export { decodeFile, decodeImage } from "./decode.ts";
export { type Embedder, type Embeddings, embed, openEmbedder } from "./embed.ts";
export { createEngine } from "./engine.ts";
export { drawingSvg, type FigureFiles, picturesOf, picturesOfSet, subjectOf, writeFigure } from "./explain.ts";
export { type ExportFileOptions, exportFile, type Form, planOf, toOnnx } from "./export-file.ts";
export { computeFeatures, type FeatureOptions, type Features } from "./features.ts";
export * from "./hub/index.ts";
export { openImageParts } from "./image-parts.ts";
export { imageLoader, openImages, someOf } from "./images.ts";
export { importFile } from "./import-file.ts";
export { createLoader } from "./loader.ts";
export { type OpenOptions, openTrained, type TrainedModel } from "./model-files.ts";
export { createOrtBackend, type Device, listDevices, type OrtOptions } from "./ort.ts";
export { createPredictor, type Guess, type Predictor } from "./predictor.ts";
export { type PreviewOptions, type PreviewResult, preview } from "./preview.ts";
export { type KnnResult, knnEvaluation, linearProbe, type ProbeResult } from "./probe.ts";
export { type Report, type ReportOptions, writeReport } from "./report/index.ts";
export { type MeasuredRobustness, measureRobustness, type RobustnessOptions } from "./robustness.ts";
export { openIndex, writeIndex } from "./search-index.ts";
export { FINETUNE } from "./settings/finetune.ts";
export type { TrainSettings } from "./settings/index.ts";
export { dataFingerprint } from "./sources/fingerprint.ts";
export type { DatasetKind } from "./sources/kinds.ts";
export { type OpenDataOptions, type OpenedData, openData } from "./sources/open-data.ts";
export { writeSynth } from "./synth.ts";
export { writeTimmFolder } from "./timm-folder.ts";
export { type TrainResult, train } from "./train.ts";
export type { TrainEvent, TrainOptions } from "./train-options.ts";
