import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import type { Program } from "../graph/program.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import type { Backend, LoadOptions, Session, State } from "../runtime/backend.ts";
import { firstNonFinite } from "./diagnose.ts";
import { imageFeed } from "./evaluate.ts";
import { gradientStep, type StepOptions, trainStep, updateStep } from "./step.ts";

/** What one update is made of: `batch` · `accumulate` images and their targets. */
export interface StepData {
  /** Bytes [N, C, H, W]. */
  readonly images: Uint8Array;
  /** Distributions over the classes [N, K]. */
  readonly targets: Float32Array;
  readonly lr: number;
}

export interface StepOutcome {
  readonly loss: number;
  readonly gradNorm: number;
  /** Whether loss and gradient are finite; if not, the state is as it was before. */
  readonly finite: boolean;
}

/** Logits [N, K] for normal batches of bytes [N, C, H, W]: what distillation learns from. */
export interface Teacher {
  logits(images: TensorData): Promise<TensorData>;
}

/** Runs updates, each as one program or, with accumulation, as several and one for the update. */
export interface Stepper {
  step(state: State, data: StepData): Promise<StepOutcome>;
  /** Replays a step on the state before it and names the first tensor that is not finite. */
  diagnose(state: State, data: StepData): Promise<string | undefined>;
  dispose(): Promise<void>;
}

/** Loads a training program, which our passes have rewritten already. */
export const loadStep = (backend: Backend, step: Program, options?: Pick<LoadOptions, "profile">): Promise<Session> =>
  backend.load(encodeModel(step), { optimization: "extended", memoryPlan: false, keep: true, ...options });

/** For a diagnosis: every operator on its own, so that it can be named, and none writes over the state. */
const unfused = (step: Program, backend: Backend): Program =>
  optimize(step, { ...backend.target, without: ["fuse-elementwise", "updates-in-place"] });

type Feeds = Map<string, TensorData>;
type Outputs = ReadonlyMap<string, TensorData>;

const scalar = (outputs: Outputs, name: string): number => Number(outputs.get(name)?.data[0]);
const rate = (lr: number): TensorData => ({ dtype: "float32", shape: [], data: Float32Array.of(lr) });

/** The feeds of batch k of an update. */
async function batchFeeds(model: Model, { batch }: StepOptions, data: StepData, k: number, teacher?: Teacher) {
  const classes = model.numClasses;
  const pixels = data.images.length / (data.targets.length / classes);
  const image = imageFeed(data.images.slice(k * batch * pixels, (k + 1) * batch * pixels), model);
  const target = data.targets.slice(k * batch * classes, (k + 1) * batch * classes);
  const feeds: Feeds = new Map([
    ["image", image],
    ["target", { dtype: "float32", shape: [batch, classes], data: target }],
  ]);
  if (teacher) feeds.set("teacher", await teacher.logits(image));
  return feeds;
}

/** @throws TesseraeError("runtime") where the backend cannot load the programs. */
export function createStepper(
  model: Model,
  backend: Backend,
  options: StepOptions,
  teacher?: Teacher,
): Promise<Stepper> {
  return (options.accumulate ?? 1) === 1
    ? singleStepper(model, backend, options, teacher)
    : accumulatingStepper(model, backend, options, teacher);
}

async function singleStepper(model: Model, backend: Backend, options: StepOptions, teacher?: Teacher) {
  const program = optimize(trainStep(model, options), backend.target);
  const session = await loadStep(backend, program);
  const feedsOf = async (data: StepData) =>
    (await batchFeeds(model, options, data, 0, teacher)).set("lr", rate(data.lr));
  return {
    async step(state: State, data: StepData): Promise<StepOutcome> {
      const outputs = await session.run(await feedsOf(data), { state, commit: "finite", consume: ["image"] });
      const finite = Boolean(outputs.get("finite")?.data[0]);
      return { loss: scalar(outputs, "loss"), gradNorm: scalar(outputs, "grad_norm"), finite };
    },
    diagnose: async (state: State, data: StepData) =>
      firstNonFinite(unfused(trainStep(model, options), backend), backend, state, await feedsOf(data)),
    dispose: () => session.dispose(),
  };
}

async function accumulatingStepper(model: Model, backend: Backend, options: StepOptions, teacher?: Teacher) {
  const { batch, accumulate = 1 } = options;
  const program = optimize(gradientStep(model, options), backend.target);
  const gradient = await loadStep(backend, program);
  const update = await loadStep(backend, optimize(updateStep(model, options), backend.target));
  const feedsOf = async (data: StepData, k: number) =>
    (await batchFeeds(model, options, data, k, teacher)).set("offset", {
      dtype: "int32",
      shape: [],
      data: Int32Array.of(k * batch),
    });
  return {
    async step(state: State, data: StepData): Promise<StepOutcome> {
      let loss = 0;
      for (let k = 0; k < accumulate; k++) {
        const run = { state, commit: "finite", consume: ["image"] };
        const outputs = await gradient.run(await feedsOf(data, k), run);
        loss += scalar(outputs, "loss") / accumulate;
        if (!outputs.get("finite")?.data[0]) return { loss, gradNorm: Number.NaN, finite: false };
      }
      const outputs = await update.run(new Map([["lr", rate(data.lr)]]), { state, commit: "finite" });
      const finite = Boolean(outputs.get("finite")?.data[0]);
      return { loss, gradNorm: scalar(outputs, "grad_norm"), finite };
    },
    async diagnose(state: State, data: StepData) {
      const step = unfused(gradientStep(model, options), backend);
      for (let k = 0; k < accumulate; k++) {
        const found = await firstNonFinite(step, backend, state, await feedsOf(data, k));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    dispose: async () => void (await Promise.all([gradient.dispose(), update.dispose()])),
  };
}
