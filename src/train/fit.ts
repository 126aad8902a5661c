import type { Batch, Loader } from "../data/loader.ts";
import { TesseraeError } from "../errors.ts";
import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import type { Program } from "../graph/program.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import type { Weights } from "../models/trace.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Backend, LoadOptions, Session, State, Tensors } from "../runtime/backend.ts";
import type { CheckpointState, LoadedCheckpoint } from "./checkpoint.ts";
import { firstNonFinite } from "./diagnose.ts";
import { evaluate, imageFeed, inferenceProgram } from "./evaluate.ts";
import { oneHot } from "./loss.ts";
import type { Metrics } from "./metrics.ts";
import { averageName, initialState, type StepOptions, trainStep } from "./step.ts";

/** What happened, for progress bars, logs and files. */
export type FitEvent =
  | {
      type: "step";
      epoch: number;
      batch: number;
      batches: number;
      step: number;
      loss: number;
      gradNorm: number;
      lr: number;
      images: number;
    }
  | { type: "evaluate"; done: number; total: number }
  | { type: "epoch"; summary: EpochSummary }
  | { type: "saved"; path: string }
  | { type: "interrupted"; step: number };

export interface EpochSummary {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly lr: number;
  readonly val?: Metrics;
  /** Of the averaged weights. */
  readonly valAverage?: Metrics;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

export interface FitOptions {
  readonly model: Model;
  readonly backend: Backend;
  readonly weights: Weights;
  readonly step: StepOptions;
  readonly epochs: number;
  readonly schedule: Schedule;
  readonly train: Loader;
  readonly val?: Loader;
  /** Which figure of an epoch decides the best checkpoint. */
  readonly metric?: "top1" | "top5" | "loss";
  /** Goes on from here; its tensors replace the weights. */
  readonly resume?: LoadedCheckpoint;
  readonly save?: (state: CheckpointState) => Promise<string>;
  /** Written into every checkpoint. */
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly onEvent?: (event: FitEvent) => void;
  /** Aborting finishes the step, saves, and returns. */
  readonly signal?: AbortSignal;
}

export interface FitResult {
  readonly steps: number;
  readonly epochs: readonly EpochSummary[];
  readonly interrupted: boolean;
  /** Final weights: the averages where they are kept, else the live ones. */
  readonly weights: Map<string, TensorData>;
}

/** Where a run stands between two steps; all of it goes into checkpoints. */
interface Progress {
  epoch: number;
  /** Batches of the epoch that are done. */
  batch: number;
  step: number;
  lossSum: number;
}

const START: Progress = { epoch: 0, batch: 0, step: 0, lossSum: 0 };

/** Loads a training program, which our passes have rewritten already. */
export const loadStep = (backend: Backend, step: Program, options?: Pick<LoadOptions, "profile">): Promise<Session> =>
  backend.load(encodeModel(step), { optimization: "extended", ...options });

/** Trains a model: every step one program, the state on the device throughout. */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { model, backend, resume } = options;
  const program = optimize(trainStep(model, options.step));
  const session = await loadStep(backend, program);
  const initial = initialState(model, options.weights, options.step);
  const state = await backend.createState(resume ? restored(initial, resume) : initial);
  const run = new Run(options, program, session, state);
  try {
    return await run.train(resume ? (resume.meta.progress as Progress) : START);
  } finally {
    await run.dispose();
  }
}

/** The saved state, checked to be this program's. */
function restored(expected: Tensors, checkpoint: LoadedCheckpoint): Map<string, TensorData> {
  const saved = new Map([...checkpoint.model, ...checkpoint.optimizer]);
  const state = new Map([...expected.keys()].map((name) => [name, saved.get(name)]));
  const wrong = [...expected].filter(([name, t]) => `${saved.get(name)?.shape}` !== `${t.shape}`).map(([name]) => name);
  if (wrong.length)
    throw new TesseraeError("weights", `the checkpoint is of another model or optimizer: ${listed(wrong)}`, {
      where: checkpoint.path,
      hint: "Resume with the options the run was started with",
    });
  return state as Map<string, TensorData>;
}

const listed = (names: readonly string[], most = 5): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

class Run {
  readonly #o: FitOptions;
  readonly #program: Program;
  readonly #session: Session;
  readonly #state: State;
  #evaluation?: Promise<{ live: Session; average?: Session }>;
  readonly #epochs: EpochSummary[] = [];

  constructor(options: FitOptions, program: Program, session: Session, state: State) {
    this.#o = options;
    this.#program = program;
    this.#session = session;
    this.#state = state;
  }

  async train(from: Progress): Promise<FitResult> {
    const { epochs, signal } = this.#o;
    let progress = from;
    while (progress.epoch < epochs) {
      progress = await this.#epoch(progress);
      if (signal?.aborted) break;
    }
    return {
      steps: progress.step,
      epochs: this.#epochs,
      interrupted: Boolean(signal?.aborted),
      weights: await this.#weights(),
    };
  }

  async #epoch(from: Progress): Promise<Progress> {
    const { train, signal, schedule } = this.#o;
    const started = performance.now();
    let progress = from;
    for await (const batch of train.epoch(from.epoch, from.batch)) {
      progress = await this.#step(batch, progress);
      if (signal?.aborted) return this.#stop(progress);
    }
    const seconds = (performance.now() - started) / 1000;
    const images = (progress.batch - from.batch) * this.#o.step.batch;
    const quality = await this.#evaluate();
    if (signal?.aborted) return this.#stop(progress);
    const summary: EpochSummary = {
      epoch: from.epoch,
      trainLoss: progress.lossSum / progress.batch,
      lr: schedule(progress.step - 1),
      ...quality,
      seconds,
      imagesPerSecond: images / seconds,
    };
    this.#epochs.push(summary);
    this.#emit({ type: "epoch", summary });
    const next: Progress = { epoch: from.epoch + 1, batch: 0, step: progress.step, lossSum: 0 };
    await this.#save(next, this.#metric(summary));
    return next;
  }

  /** Saves between two steps. An epoch stopped after its last step is evaluated when it is resumed. */
  async #stop(progress: Progress): Promise<Progress> {
    this.#emit({ type: "interrupted", step: progress.step });
    await this.#save(progress);
    return progress;
  }

  async #step({ images, labels }: Batch, at: Progress): Promise<Progress> {
    const { model, schedule, train, step } = this.#o;
    const lr = schedule(at.step);
    const feeds = new Map<string, TensorData>([
      ["image", imageFeed(images, model)],
      ["target", { dtype: "float32", shape: [step.batch, model.numClasses], data: oneHot(labels, model.numClasses) }],
      ["lr", { dtype: "float32", shape: [], data: Float32Array.of(lr) }],
    ]);
    const outputs = await this.#session.run(feeds, { state: this.#state, commit: "finite" });
    const scalar = (name: string) => Number(outputs.get(name)?.data[0]);
    const loss = scalar("loss");
    if (!scalar("finite")) await this.#refuse(loss, at, feeds);
    const done = { ...at, batch: at.batch + 1, step: at.step + 1, lossSum: at.lossSum + loss };
    this.#emit({
      type: "step",
      epoch: at.epoch,
      batch: done.batch,
      batches: train.batchesPerEpoch,
      step: done.step,
      loss,
      gradNorm: scalar("grad_norm"),
      lr,
      images: step.batch,
    });
    return done;
  }

  /** A step that is not finite was not applied; the run stops and says where it began. */
  async #refuse(loss: number, { step, epoch }: Progress, feeds: Tensors): Promise<never> {
    const first = await firstNonFinite(this.#program, this.#o.backend, this.#state, feeds);
    const what = Number.isFinite(loss) ? "the gradient is not finite" : `the loss is ${loss}`;
    throw new TesseraeError(
      "numeric",
      `${what} at step ${step + 1} (epoch ${epoch + 1}); the first tensor that is not finite: ${first ?? "none on replay"}`,
      {
        hint: "The step was not applied. Try a lower --lr, a longer warm-up or --clip-grad",
      },
    );
  }

  /** Nothing where there is nothing to evaluate on, or where the run is interrupted meanwhile. */
  async #evaluate(): Promise<{ val?: Metrics; valAverage?: Metrics }> {
    const { val, model, backend, step, signal } = this.#o;
    if (!val) return {};
    const load = async (rename?: (name: string) => string) =>
      backend.load(inferenceProgram(model, step.batch, "inputs", rename), { optimization: "extended" });
    this.#evaluation ??= (async () => ({
      live: await load(),
      average: step.emaDecay === undefined ? undefined : await load(averageName),
    }))();
    const { live, average } = await this.#evaluation;
    const onBatch = (done: number, total: number) => this.#emit({ type: "evaluate", done, total });
    const quality = (session: Session) => evaluate(model, session, val, { state: this.#state, onBatch, signal });
    try {
      return { val: await quality(live), valAverage: average && (await quality(average)) };
    } catch (error) {
      if (signal?.aborted) return {};
      throw error;
    }
  }

  #metric({ val, valAverage }: EpochSummary): number | undefined {
    return (valAverage ?? val)?.[this.#o.metric ?? "top1"];
  }

  async #save(progress: Progress, metric?: number): Promise<void> {
    const { save, model, meta } = this.#o;
    if (!save) return;
    const all = await this.#state.read();
    const own = new Map(model.slots.map(({ name }) => [name, all.get(name) as TensorData]));
    const rest = new Map([...all].filter(([name]) => !own.has(name)));
    const path = await save({ step: progress.step, metric, model: own, optimizer: rest, meta: { ...meta, progress } });
    this.#emit({ type: "saved", path });
  }

  async #weights(): Promise<Map<string, TensorData>> {
    const averaged = this.#o.step.emaDecay !== undefined;
    const names = this.#o.model.slots.map(({ name }) => name);
    const values = await this.#state.read(averaged ? names.map(averageName) : names);
    return new Map(names.map((name) => [name, values.get(averaged ? averageName(name) : name) as TensorData]));
  }

  #emit(event: FitEvent): void {
    this.#o.onEvent?.(event);
  }

  async dispose(): Promise<void> {
    const evaluation = await this.#evaluation;
    await Promise.all([this.#session, evaluation?.live, evaluation?.average].map((s) => s?.dispose()));
    await this.#state.dispose();
  }
}
