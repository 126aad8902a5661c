import { TesseraeError } from "../errors.ts";
import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import { toDoubles } from "../graph/types.ts";
import { createModel } from "../models/index.ts";
import type { Model } from "../models/model.ts";
import { adamw } from "../optim/adamw.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import { sgd } from "../optim/sgd.ts";
import type { Backend } from "../runtime/backend.ts";
import { oneHot } from "../train/loss.ts";
import { averageName, initialState, trainStep } from "../train/step.ts";
import { compareTables, type TableDifference, type TrajectoryFixture, tablesAgree } from "./fixture.ts";
import { norm, relative } from "./numbers.ts";
import { parityInput, parityTensor } from "./parity.ts";

export interface TrajectoryReport {
  readonly model: string;
  readonly ok: boolean;
  readonly tensors: TableDifference;
  /** Largest relative errors over the steps, and of the final norms. */
  readonly error?: { loss: number; gradientNorm: number; finalNorms: number; finalEmaNorms: number; worst: string };
  readonly tolerance: { loss: number; finalNorms: number };
  readonly reference: { loss: number };
}

/** The model that a trajectory's prose names, such as "resnet18 with num_classes 10 on 32x32 input". */
export function trajectoryModel({ model: text }: TrajectoryFixture): Model {
  const mixer = /^ConvMixer-(\d+)\/(\d+), kernel (\d+), patch (\d+), (\d+) classes$/.exec(text)?.slice(1).map(Number);
  if (mixer) {
    const [dim, depth, kernel_size, patch_size, num_classes] = mixer;
    return createModel("convmixer", { dim, depth, kernel_size, patch_size, num_classes, img_size: 32 });
  }
  const [name, settings = ""] = text.split(" with ");
  const [listed, size] = settings.split(/ on (\d+)x\d+ input/);
  const options = Object.fromEntries(
    [...listed.matchAll(/(\w+) (\d+)/g)].map(([, key, value]) => [key, Number(value)]),
  );
  return createModel(name, size ? { ...options, img_size: Number(size) } : options);
}

function trajectoryOptimizer({ optimizer: text }: TrajectoryFixture): Optimizer {
  const [, kind, inside = ""] = /^(\w+)\((.*)\)/.exec(text) ?? [undefined, text];
  const numbers = inside.match(/[\d.]+(?:e-?\d+)?/g)?.map(Number) ?? [];
  if (kind === "AdamW") return adamw({ betas: [numbers[0], numbers[1]], epsilon: numbers[2] });
  if (kind === "SGD") return sgd({ momentum: numbers[0], nesterov: /nesterov/i.test(text) });
  throw new TesseraeError("model", `no optimizer ${text}`);
}

/** Trains for the fixture's steps and compares the loss at each, and the norms at the end. */
export async function verifyTrajectory(
  model: Model,
  fixture: TrajectoryFixture,
  backend: Backend,
): Promise<TrajectoryReport> {
  const tensors = compareTables(model.slots, fixture.tensors);
  const reference = { loss: Math.max(...fixture.loss.map((v, i) => relative(fixture.float32_loss[i], v))) };
  // A residual network is chaotic by nature: there, five times what float32 does to PyTorch itself.
  const tolerance = { loss: Math.max(1e-4, 5 * reference.loss), finalNorms: 1e-3 };
  const report = { model: model.name, tensors, tolerance, reference };
  if (!tablesAgree(tensors)) return { ...report, ok: false };
  const run = await trainAlong(model, fixture, backend);
  const losses = run.losses.map((v, i) => relative(v, fixture.loss[i]));
  const norms = run.norms.map((v, i) => relative(v, fixture.gradient_norm[i]));
  const final = finalError(fixture.final_norms, (name) => run.state.get(name) as Float64Array);
  const average = finalError(fixture.final_ema_norms, (name) => run.state.get(averageName(name)) as Float64Array);
  const error = {
    loss: Math.max(...losses),
    gradientNorm: Math.max(...norms),
    finalNorms: final.error,
    finalEmaNorms: average.error,
    worst: final.error >= average.error ? final.worst : averageName(average.worst),
  };
  const ok = error.loss <= tolerance.loss && Math.max(error.finalNorms, error.finalEmaNorms) <= tolerance.finalNorms;
  return { ...report, error, ok };
}

interface Run {
  losses: number[];
  norms: number[];
  state: ReadonlyMap<string, Float64Array>;
}

async function trainAlong(model: Model, fixture: TrajectoryFixture, backend: Backend): Promise<Run> {
  const undecayed = new Set(fixture.no_weight_decay);
  const slots = model.slots.map((s) => ({ ...s, decay: s.slot === "parameter" && !undecayed.has(s.name) }));
  const options = {
    batch: fixture.batch_size,
    optimizer: trajectoryOptimizer(fixture),
    weightDecay: fixture.weight_decay,
    clipGrad: fixture.clip_grad_norm,
    smoothing: fixture.label_smoothing,
    emaDecay: fixture.ema_decay,
    pixels: "float32" as const,
  };
  const program = optimize(trainStep({ ...model, slots }, options), backend.target);
  const session = await backend.load(encodeModel(program), { optimization: "extended" });
  const weights = new Map(model.slots.map((s) => [s.name, parityTensor(s)]));
  const state = await backend.createState(initialState(model, weights, options));
  const [losses, norms]: number[][] = [[], []];
  for (let k = 0; k < fixture.steps; k++) {
    const results = await session.run(trajectoryBatch(model, fixture, k), { state });
    losses.push(Number(results.get("loss")?.data[0]));
    norms.push(Number(results.get("grad_norm")?.data[0]));
  }
  const final = new Map([...(await state.read())].map(([name, t]) => [name, toDoubles(t.data)]));
  await session.dispose();
  await state.dispose();
  return { losses, norms, state: final };
}

/** Step k: input 2u of "batch-<k>"; the label of sample i is (7k + 3i) mod classes. */
function trajectoryBatch(model: Model, { batch_size: n, lr }: TrajectoryFixture, k: number) {
  const labels = Array.from({ length: n }, (_, i) => (7 * k + 3 * i) % model.numClasses);
  return new Map([
    ["image", parityInput(`batch-${k}`, [n, ...model.inputShape])],
    ["target", { dtype: "float32" as const, shape: [n, model.numClasses], data: oneHot(labels, model.numClasses) }],
    ["lr", { dtype: "float32" as const, shape: [], data: Float32Array.of(lr[k]) }],
  ]);
}

function finalError(
  expected: Readonly<Record<string, number>>,
  value: (name: string) => Float64Array,
): { error: number; worst: string } {
  let [error, worst] = [0, ""];
  for (const [name, reference] of Object.entries(expected)) {
    const e = relative(norm(value(name)), reference);
    if (!(e <= error)) [error, worst] = [Number.isNaN(e) ? Infinity : e, name];
  }
  return { error, worst };
}
