import { grad } from "../autodiff/grad.ts";
import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import { program } from "../graph/program.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import { imageInput, traceLogits } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { crossEntropy, oneHot } from "../train/loss.ts";
import { compareTables, type ModelFixture, type TableDifference, tablesAgree } from "./fixture.ts";
import { gradientError, worse } from "./gradient-error.ts";
import { fixtureKey, HEAD_SCATTER } from "./head-scatter.ts";
import { norm, relative, worstOf } from "./numbers.ts";
import { parityInput, parityTensor } from "./parity.ts";

/**
 * Relative errors against float64; `worst` names the gradient that is furthest off. `gradients` compares norms,
 * `heads` the first four elements relative to the gradient's root mean square.
 */
export interface ErrorFigures {
  logits: number;
  loss: number;
  gradients: number;
  heads: number;
  evalLoss: number;
  evalGradients: number;
  evalHeads: number;
  worst: string;
}

export type ToleranceFigures = Omit<ErrorFigures, "worst">;

export interface ModelReport {
  readonly model: string;
  readonly ok: boolean;
  readonly tensors: TableDifference;
  readonly error?: ErrorFigures;
  readonly tolerance: ToleranceFigures;
  /** PyTorch's own float32 error for the same figures. */
  readonly reference: ToleranceFigures;
}

const BASE: ToleranceFigures = {
  logits: 1e-4,
  loss: 1e-5,
  gradients: 1e-3,
  heads: 1e-3,
  evalLoss: 1e-5,
  evalGradients: 1e-3,
  evalHeads: 1e-3,
};
const FIGURES = Object.keys(BASE) as (keyof ToleranceFigures)[];

/**
 * The larger of the fixed tolerance and five times the error that PyTorch's float32 makes. The fixture states that
 * error for all figures but the heads; HEAD_SCATTER has it for those, and for norms that scatter as they do.
 */
export function tolerances(fixture: Pick<ModelFixture, "model" | "options" | "float32_error">): {
  tolerance: ToleranceFigures;
  reference: ToleranceFigures;
} {
  const { float32_error: e } = fixture;
  const scatter = HEAD_SCATTER[fixtureKey(fixture)];
  const reference = {
    logits: e.logits,
    loss: e.loss,
    gradients: Math.max(e.gradients, scatter?.trainNorms ?? 0),
    heads: scatter?.train ?? e.gradients,
    evalLoss: e.eval_loss,
    evalGradients: e.eval_gradients,
    evalHeads: scatter?.eval ?? e.eval_gradients,
  };
  const tolerance = Object.fromEntries(FIGURES.map((k) => [k, Math.max(BASE[k], 5 * reference[k])]));
  return { tolerance: tolerance as unknown as ToleranceFigures, reference };
}

/** Builds nothing of its own: takes the model a fixture names, fills it by the parity rule, and compares. */
export async function verifyModel(model: Model, fixture: ModelFixture, backend: Backend): Promise<ModelReport> {
  const tensors = compareTables(model.slots, fixture.tensors);
  const { tolerance, reference } = tolerances(fixture);
  const report = { model: model.name, tensors, tolerance, reference };
  if (!tablesAgree(tensors)) return { ...report, ok: false };
  const evaluation = await runPass(model, fixture, false, backend);
  const training = await runPass(model, fixture, true, backend);
  const evalGradients = gradientError(evaluation.gradients, fixture.eval);
  const gradients = gradientError(training.gradients, fixture.train);
  const error: ErrorFigures = {
    logits: logitsError(evaluation, fixture),
    loss: relative(training.loss, fixture.train.loss),
    gradients: gradients.norms,
    heads: gradients.heads,
    evalLoss: relative(evaluation.loss, fixture.eval.loss),
    evalGradients: evalGradients.norms,
    evalHeads: evalGradients.heads,
    worst: (worse(gradients) >= worse(evalGradients) ? gradients : evalGradients).worst,
  };
  return { ...report, error, ok: FIGURES.every((k) => error[k] <= tolerance[k]) };
}

interface PassResult {
  readonly loss: number;
  readonly logits: TensorData;
  readonly gradients: ReadonlyMap<string, Float32Array>;
}

/** Loss, logits and every parameter's gradient, in evaluation or training mode. */
async function runPass(model: Model, fixture: ModelFixture, training: boolean, backend: Backend): Promise<PassResult> {
  const [batch] = fixture.input;

  const { output: logits, slots } = traceLogits(model, imageInput(model, batch), {
    training,
    source: "inputs",
  });
  const target = input("target", "float32", logits.shape);
  const loss = crossEntropy(logits, target);
  const parameters = model.slots.filter((s) => s.slot === "parameter" && slots.has(s.name));
  const gradients = grad(
    loss,
    parameters.map((s) => slots.get(s.name) as Tensor),
  );
  const outputs = new Map([
    ["loss", loss],
    ["logits", logits],
    ...parameters.map((s, i) => [`grad:${s.name}`, gradients[i]] as const),
  ]);
  const session = await backend.load(encodeModel(optimize(program("verify", outputs), backend.target)), {
    optimization: "extended",
  });
  const feeds = new Map<string, TensorData>(model.slots.map((s) => [s.name, parityTensor(s)]));
  feeds.set("image", parityInput("input", fixture.input));
  feeds.set("target", { dtype: "float32", shape: logits.shape, data: oneHot(fixture.labels, logits.shape[1]) });
  const results = await session.run(feeds);
  await session.dispose();
  const value = (name: string) => (results.get(name) as TensorData).data as Float32Array;
  return {
    loss: value("loss")[0],
    logits: results.get("logits") as TensorData,
    gradients: new Map(parameters.map((s) => [s.name, value(`grad:${s.name}`)])),
  };
}

/** Largest logit difference over the largest logit, and the relative error of their norm. */
function logitsError({ logits }: PassResult, { eval: { logits_head, logits_norm } }: ModelFixture): number {
  const classes = logits.shape[1];
  const data = logits.data as Float32Array;
  const scale = Math.max(...logits_head.flat().map(Math.abs));
  const differences = logits_head.flatMap((row, n) => row.map((v, i) => Math.abs(data[n * classes + i] - v) / scale));
  return worstOf([...differences, relative(norm(data), logits_norm)]);
}
