/**
 * The platform-free core: graphs, gradients, layers, models, training steps, data transforms.
 * @module
 */
export { grad, vjp } from "./autodiff/grad.ts";
export { CORRUPTIONS, type Corruption, type CorruptionKey, corrupt } from "./data/corrupt/index.ts";
export type { ImageDataset, ImageSample } from "./data/dataset.ts";
export type { Batch, Loader, LoaderOptions } from "./data/loader.ts";
export { type EvalTransform, evalTransform, type TrainTransform, trainTransform } from "./data/transform.ts";
export { type ErrorCode, TesseraeError } from "./errors.ts";
export {
  type Drawing,
  FIGURES,
  type Figure,
  type FigureContext,
  figureNames,
  type Picture,
  type Subject,
} from "./explain/index.ts";
export { type EncodeOptions, encodeModel, type OnnxModel } from "./graph/onnx.ts";
export { decodeModel } from "./graph/onnx-read.ts";
export { optimize } from "./graph/passes/index.ts";
export { type Program, program } from "./graph/program.ts";
export { concat, constant, fill, input, type Operand, Tensor } from "./graph/tensor.ts";
export { type DType, N, type Shape, type TensorData } from "./graph/types.ts";
export { type Imported, type ImportOptions, importOnnx } from "./models/import-onnx.ts";
export { createModel, listModels, type ModelOptions } from "./models/index.ts";
export type { FeatureInfo, Model, Preprocessing } from "./models/model.ts";
export { resizeModel, resizeWeights } from "./models/resize.ts";
export { checkWeights, type ModelSpec, modelOf, specOf } from "./models/spec.ts";
export { type Statistics, statistics } from "./models/statistics.ts";
export { countParameters, imageInput, initialize, traceModule, type Weights } from "./models/trace.ts";
export { createOptimizer, optimizerNames } from "./optim/index.ts";
export { type Schedule, type ScheduleOptions, schedule } from "./optim/schedule.ts";
export type { Backend, Session, State, Tensors } from "./runtime/backend.ts";
export { evaluate, inferenceProgram } from "./train/evaluate.ts";
export { exportOnnx } from "./train/export.ts";
export { type EpochSummary, type FitEvent, type FitOptions, type FitResult, fit } from "./train/fit.ts";
export { crossEntropy, oneHot } from "./train/loss.ts";
export type { Metrics } from "./train/metrics.ts";
export { initialState, type StepOptions, trainStep } from "./train/step.ts";
export { createStepper, type StepData, type StepOutcome, type Stepper } from "./train/stepper.ts";
export { type ModelReport, verifyModel } from "./verify/verify-model.ts";
export { type TrajectoryReport, verifyTrajectory } from "./verify/verify-trajectory.ts";
export { readSafetensors, writeSafetensors } from "./weights/safetensors.ts";
