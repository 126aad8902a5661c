import type { Batch, Loader } from "../data/loader.ts";
import { type Mixing, mixesOf, mixImages, mixTargets } from "../data/mixup.ts";
import { TesseraeError } from "../errors.ts";
import type { TensorData } from "../graph/types.ts";
import type { Model } from "../models/model.ts";
import type { Weights } from "../models/trace.ts";
import type { Schedule } from "../optim/schedule.ts";
import type { Backend, Session, State, Tensors } from "../runtime/backend.ts";
import { begun, both } from "./ahead.ts";
import { type CheckpointState, checkpointName, type LoadedCheckpoint } from "./checkpoint.ts";
import { evaluate, inferenceProgram } from "./evaluate.ts";
import { oneHot } from "./loss.ts";
import type { Metrics } from "./metrics.ts";
import { follow, isSpike, type LossTrend, NO_TREND } from "./spike.ts";
import { averageName, GATHERED, initialState, type StepOptions } from "./step.ts";
import { createStepper, type StepData, type Stepper, type Teacher } from "./stepper.ts";

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
  /** A step that is not finite: it was not applied. */
  | { type: "bad-step"; epoch: number; step: number; loss: number; inARow: number; total: number }
  /** The loss rose above the trend: weights and optimizer are those of `to` again; data and schedule go on. */
  | ({ type: "rollback" } & RollbackRecord)
  | { type: "evaluate"; done: number; total: number }
  /** What the weights that training begins with are worth (`evaluateFirst`). */
  | ({ type: "begin" } & Quality)
  | { type: "epoch"; summary: EpochSummary }
  /** A checkpoint is about to be written; `planned`: an uninterrupted run writes it too. */
  | { type: "save"; step: number; epoch: number; batch: number; metric?: number; planned: boolean }
  | { type: "saved"; path: string }
  /** From this epoch on so many slots are trained. */
  | { type: "thaw"; epoch: number; trained: number }
  /** The figure has not become better for `patience` epochs. */
  | { type: "early-stop"; epoch: number; best: number }
  | { type: "interrupted"; step: number };

export interface Quality {
  readonly val?: Metrics;
  /** Of the averaged weights. */
  readonly valAverage?: Metrics;
}

export interface EpochSummary extends Quality {
  readonly epoch: number;
  readonly trainLoss: number;
  readonly lr: number;
  readonly seconds: number;
  readonly imagesPerSecond: number;
}

export interface FitOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** The first weights; a function is called while the engine loads the first program. */
  readonly weights: Weights | (() => Weights);
  readonly step: StepOptions;
  readonly epochs: number;
  readonly schedule: Schedule;
  readonly train: Loader;
  readonly val?: Loader;
  /** Evaluates after every so many epochs, and after the last. Default 1. */
  readonly valInterval?: number;
  /** Evaluates and saves the first weights as well: the best checkpoint is never worse than they are. */
  readonly evaluateFirst?: boolean;
  /** Which figure of an epoch decides the best checkpoint. */
  readonly metric?: "top1" | "top5" | "loss";
  /** Epochs in a row in which that figure may fail to become better before the run ends. Default: any number. */
  readonly patience?: number;
  /**
   * Slots that stay as they are in an epoch: the same set from epoch to epoch, or a part of it. Default: those of
   * `step.frozen` throughout. A new set is a new program.
   */
  readonly frozen?: (epoch: number) => ReadonlySet<string>;
  readonly mixing?: Mixing;
  readonly teacher?: Teacher;
  /** Steps in a row that may be not finite before the run stops. Default 0. */
  readonly maxBadSteps?: number;
  readonly rollback?: Rollback;
  /** Goes on from here; its tensors replace the weights. */
  readonly resume?: LoadedCheckpoint;
  readonly save?: (state: CheckpointState) => Promise<string>;
  /** Saves within an epoch too, every so many steps. */
  readonly saveInterval?: number;
  /** Written into every checkpoint. */
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly onEvent?: (event: FitEvent) => void;
  /** Aborting finishes the step, saves, and returns. */
  readonly signal?: AbortSignal;
}

/** What to do about a sudden rise of the loss. */
export interface Rollback {
  /** A loss above this many times its running mean is a spike. */
  readonly factor: number;
  /** The checkpoint that `save` has returned the path of, or the one resumed from. */
  readonly load: (path: string) => Promise<LoadedCheckpoint>;
}

/** A run whose loss keeps leaving its trend is stopped after so many rollbacks. */
const MAX_ROLLBACKS = 20;

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
  /** Over the epoch's steps that were applied. */
  lossSum: number;
  applied: number;
  trend: LossTrend;
  /** Steps that were not finite: the last in a row, and all. */
  badInARow: number;
  badTotal: number;
  rollbackLog: readonly RollbackRecord[];
  /** The best figure of an epoch, and the epochs since. */
  best?: number;
  stale: number;
}

/** A rollback: the step that was not kept, its loss, the mean that it left, and the step of the weights taken instead. */
export interface RollbackRecord {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  readonly mean: number;
  readonly to: number;
}

const START: Progress = {
  epoch: 0,
  batch: 0,
  step: 0,
  lossSum: 0,
  applied: 0,
  trend: NO_TREND,
  badInARow: 0,
  badTotal: 0,
  rollbackLog: [],
  stale: 0,
};

/** Trains a model: every step one program, the state on the device throughout. */
export async function fit(options: FitOptions): Promise<FitResult> {
  const { resume } = options;
  const from = resume ? { ...START, ...(resume.meta.progress as Progress) } : START;
  // The first batch is decoded, and the engine loads the program that this thread has made, while it makes the first weights.
  const batches = goesOn(options, from) ? begun(batchesFrom(options, from)) : undefined;
  const [stepper, state] = await both(firstStepper(options, from), firstState(options));
  const run = new Run(options, state, stepper);
  try {
    return await run.train(from, batches);
  } finally {
    await run.dispose();
  }
}

/** Whether there is an epoch to come. */
const goesOn = ({ epochs, patience = Number.POSITIVE_INFINITY }: FitOptions, { epoch, stale }: Progress): boolean =>
  epoch < epochs && stale < patience;

/** Steps of the first epoch, unless there is none, or what it leaves as it is must be read from the state. */
const firstStepper = async (o: FitOptions, from: Progress): Promise<Stepper | undefined> =>
  goesOn(o, from) && !frozenIn(o, from.epoch) ? createStepper(o.model, o.backend, o.step, o.teacher) : undefined;

const firstState = async (o: FitOptions): Promise<State> => o.backend.createState(stateOf(o, o.resume));

/** The state that the weights begin with, or that of a checkpoint. */
function stateOf(o: FitOptions, checkpoint?: LoadedCheckpoint): Tensors {
  const weights = typeof o.weights === "function" ? o.weights() : o.weights;
  const initial = initialState(o.model, weights, { ...o.step, frozen: alwaysFrozen(o) });
  return checkpoint ? restored(initial, checkpoint) : initial;
}

const batchesFrom = ({ train }: FitOptions, { epoch, batch }: Progress): AsyncIterable<Batch> =>
  train.epoch(epoch, Math.min(batch, train.batchesPerEpoch));

/** Slots that an epoch leaves as they are. */
const frozenIn = ({ frozen, step }: FitOptions, epoch: number): ReadonlySet<string> | undefined =>
  frozen?.(epoch) ?? step.frozen;

/** Slots that no epoch trains. */
const alwaysFrozen = (o: FitOptions): ReadonlySet<string> => frozenIn(o, o.epochs - 1) ?? new Set();

/** The saved state, checked to be this program's. */
function restored(expected: Tensors, checkpoint: LoadedCheckpoint): Map<string, TensorData> {
  const saved = new Map([...checkpoint.model, ...checkpoint.optimizer]);
  const kept = [...expected].filter(([name]) => !name.startsWith(GATHERED));
  const state = new Map([...expected.keys()].map((name) => [name, saved.get(name) ?? expected.get(name)]));
  const wrong = kept.filter(([name, t]) => `${saved.get(name)?.shape}` !== `${t.shape}`).map(([name]) => name);
  if (wrong.length)
    throw new TesseraeError("weights", `the checkpoint is of another model or optimizer: ${listed(wrong)}`, {
      where: checkpoint.path,
      hint: "Resume with the options the run was started with",
    });
  return state as Map<string, TensorData>;
}

/** Path of the checkpoint that a run resumed from this one goes back to. */
function anchorOf({ path, anchor }: LoadedCheckpoint): string | null {
  const folder = path.slice(0, path.length - checkpointName(path).length);
  return anchor === undefined ? path : anchor && folder + anchor;
}

const listed = (names: readonly string[], most = 5): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

const sameNames = (a: ReadonlySet<string> = new Set(), b: ReadonlySet<string> = new Set()): boolean =>
  a === b || (a.size === b.size && [...a].every((name) => b.has(name)));

class Run {
  readonly #o: FitOptions;
  readonly #state: State;
  /** Of the epoch, and what it leaves as it is. */
  #stepping?: { readonly stepper: Stepper; readonly frozen?: ReadonlySet<string> };
  #evaluation?: Promise<{ live: Session; average?: Session }>;
  readonly #epochs: EpochSummary[] = [];
  /**
   * Path of the checkpoint that a spike goes back to; null: the first weights. One saved on interruption does not
   * count, so that an interrupted run goes back to what it would have gone back to.
   */
  #anchor: string | null;

  /** `stepper`: of the first epoch, if it is made already. */
  constructor(options: FitOptions, state: State, stepper?: Stepper) {
    this.#o = options;
    this.#state = state;
    this.#stepping = stepper && { stepper };
    this.#anchor = options.resume ? anchorOf(options.resume) : null;
  }

  /** `first`: the first epoch's batches, if they are begun already. */
  async train(from: Progress, first?: AsyncIterable<Batch>): Promise<FitResult> {
    const { epochs, signal, patience = Number.POSITIVE_INFINITY } = this.#o;
    let progress = await this.#begin(from);
    let batches = first;
    while (goesOn(this.#o, progress)) {
      await this.#prepare(progress.epoch);
      progress = await this.#epoch(progress, batches ?? batchesFrom(this.#o, progress));
      batches = undefined;
      if (signal?.aborted) break;
    }
    if (progress.stale >= patience && progress.epoch < epochs)
      this.#emit({ type: "early-stop", epoch: progress.epoch - 1, best: progress.best as number });
    return {
      steps: progress.step,
      epochs: this.#epochs,
      interrupted: Boolean(signal?.aborted),
      weights: await this.#weights(),
    };
  }

  /** The first weights, judged and saved as an epoch's are; a resumed run has them behind it. */
  async #begin(from: Progress): Promise<Progress> {
    const quality = this.#o.evaluateFirst && !this.#o.resume ? await this.#evaluate() : {};
    const figure = this.#metric(quality);
    if (figure === undefined) return from;
    this.#emit({ type: "begin", ...quality });
    const first = { ...from, ...this.#judged(from, figure) };
    await this.#save(first, { metric: figure });
    return first;
  }

  /** The programs of an epoch: others where it leaves other slots as they are. */
  async #prepare(epoch: number): Promise<void> {
    const { model, backend, teacher, step } = this.#o;
    const frozen = frozenIn(this.#o, epoch);
    if (this.#stepping && sameNames(this.#stepping.frozen, frozen)) return;
    const before = this.#stepping;
    this.#stepping = undefined;
    await before?.stepper.dispose();
    const constants =
      frozen && (await this.#state.read(model.slots.flatMap((s) => (frozen.has(s.name) ? s.name : []))));
    const stepper = await createStepper(model, backend, { ...step, frozen, constants }, teacher);
    this.#stepping = { stepper, frozen };
    if (before) this.#emit({ type: "thaw", epoch, trained: model.slots.length - (frozen?.size ?? 0) });
  }

  get #stepper(): Stepper {
    return (this.#stepping as { stepper: Stepper }).stepper;
  }

  async #epoch(from: Progress, batches: AsyncIterable<Batch>): Promise<Progress> {
    const { signal, schedule } = this.#o;
    const started = performance.now();
    let progress = from;
    for await (const batch of batches) {
      progress = await this.#step(batch, progress);
      if (signal?.aborted) return this.#stop(progress);
      if (this.#savesAt(progress)) await this.#save(progress);
    }
    const seconds = (performance.now() - started) / 1000;
    const images = (progress.batch - from.batch) * this.#images;
    const quality = this.#evaluates(from.epoch) ? await this.#evaluate() : {};
    if (signal?.aborted) return this.#stop(progress);
    const summary: EpochSummary = {
      epoch: from.epoch,
      trainLoss: progress.lossSum / progress.applied,
      lr: schedule(progress.step - 1),
      ...quality,
      seconds,
      imagesPerSecond: images / seconds,
    };
    this.#epochs.push(summary);
    this.#emit({ type: "epoch", summary });
    const figure = this.#metric(summary);
    const next: Progress = {
      ...progress,
      ...this.#judged(progress, figure),
      epoch: from.epoch + 1,
      batch: 0,
      lossSum: 0,
      applied: 0,
    };
    await this.#save(next, { metric: figure });
    return next;
  }

  /** Whether there is a save within the epoch at this step; the epoch's end saves anyway. */
  #savesAt({ step, batch }: Progress): boolean {
    const { saveInterval, train } = this.#o;
    return Boolean(saveInterval) && step % (saveInterval as number) === 0 && batch < train.batchesPerEpoch;
  }

  /** Saves between two steps. An epoch stopped after its last step is evaluated when it is resumed. */
  async #stop(progress: Progress): Promise<Progress> {
    this.#emit({ type: "interrupted", step: progress.step });
    await this.#save(progress, { planned: this.#savesAt(progress) });
    return progress;
  }

  async #step(batch: Batch, at: Progress): Promise<Progress> {
    const { schedule, train, rollback } = this.#o;
    const data = { ...this.#mixed(batch, at), lr: schedule(at.step) };
    const { loss, gradNorm, finite } = await this.#stepper.step(this.#state, data);
    const moved = { ...at, batch: at.batch + 1, step: at.step + 1 };
    if (!finite) return this.#bad(moved, loss, data);
    if (rollback && isSpike(at.trend, loss, rollback.factor)) return this.#rollBack(moved, loss, rollback);
    this.#emit({
      type: "step",
      epoch: at.epoch,
      batch: moved.batch,
      batches: train.batchesPerEpoch,
      step: moved.step,
      loss,
      gradNorm,
      lr: data.lr,
      images: this.#images,
    });
    const [lossSum, applied] = [at.lossSum + loss, at.applied + 1];
    return { ...moved, lossSum, applied, trend: follow(at.trend, loss), badInARow: 0 };
  }

  /** Images of one update. */
  get #images(): number {
    return this.#o.step.batch * (this.#o.step.accumulate ?? 1);
  }

  #mixed({ images, labels }: Batch, { epoch, batch }: Progress): Omit<StepData, "lr"> {
    const { mixing, model } = this.#o;
    const targets = oneHot(labels, model.numClasses);
    const [channels, height, width] = model.inputShape;
    const mixes = mixesOf(mixing, labels.length, [height, width], { epoch, batch });
    if (!mixes) return { images, targets };
    return {
      images: mixImages(images, mixes, [channels, height, width]),
      targets: mixTargets(targets, mixes, model.numClasses),
    };
  }

  /** A step that is not finite was not applied. Too many in a row go back or stop the run, which says where it began. */
  async #bad(at: Progress, loss: number, data: StepData): Promise<Progress> {
    const { maxBadSteps = 0, rollback } = this.#o;
    const bad = { ...at, badInARow: at.badInARow + 1, badTotal: at.badTotal + 1 };
    const { epoch, step, badInARow: inARow, badTotal: total } = bad;
    this.#emit({ type: "bad-step", epoch, step, loss, inARow, total });
    if (inARow <= maxBadSteps) return bad;
    if (rollback) return this.#rollBack({ ...bad, badInARow: 0 }, loss, rollback);
    const first = await this.#stepper.diagnose(this.#state, data);
    const what = Number.isFinite(loss) ? "the gradient is not finite" : `the loss is ${loss}`;
    const often = inARow > 1 ? `, the last of ${inARow} such steps in a row` : "";
    throw new TesseraeError(
      "numeric",
      `${what} at step ${step} (epoch ${epoch + 1})${often}; the first tensor that is not finite: ${first ?? "none on replay"}`,
      {
        hint: "The step was not applied. Try a lower --lr, a longer warm-up or --clip-grad",
      },
    );
  }

  /** Weights, moments and averages go back to the newest checkpoint; data, schedule and counters go on. */
  async #rollBack(at: Progress, loss: number, { load }: Rollback): Promise<Progress> {
    const { epoch, step, trend, rollbackLog } = at;
    const times = rollbackLog.length + 1;
    if (times > MAX_ROLLBACKS)
      throw new TesseraeError("numeric", `the loss left its trend ${times} times, the last at step ${step}`, {
        hint: "Try a lower --lr, a longer warm-up or --clip-grad",
      });
    const checkpoint = this.#anchor === null ? undefined : await load(this.#anchor);
    await this.#state.write(stateOf(this.#o, checkpoint));
    const record = { epoch, step, loss, mean: trend.mean, to: checkpoint?.step ?? 0 };
    this.#emit({ type: "rollback", ...record });
    return { ...at, trend: NO_TREND, rollbackLog: [...rollbackLog, record] };
  }

  #evaluates(epoch: number): boolean {
    const { valInterval = 1, epochs } = this.#o;
    return (epoch + 1) % valInterval === 0 || epoch + 1 === epochs;
  }

  /** Nothing where there is nothing to evaluate on, or where the run is interrupted meanwhile. */
  async #evaluate(): Promise<Quality> {
    const { val, model, backend, step, signal } = this.#o;
    if (!val) return {};
    const frozen = alwaysFrozen(this.#o);
    const averaged = (name: string) => (frozen.has(name) ? name : averageName(name));
    const load = async (rename?: (name: string) => string) =>
      backend.load(inferenceProgram(model, step.batch, "inputs", rename), { optimization: "extended" });
    this.#evaluation ??= (async () => ({
      live: await load(),
      average: step.emaDecay === undefined ? undefined : await load(averaged),
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

  #metric({ val, valAverage }: Quality): number | undefined {
    return (valAverage ?? val)?.[this.#o.metric ?? "top1"];
  }

  /** Whether an epoch's figure is the best so far. */
  #judged({ best, stale }: Progress, figure: number | undefined): Pick<Progress, "best" | "stale"> {
    if (figure === undefined) return { best, stale };
    const lower = this.#o.metric === "loss";
    const better = best === undefined || (lower ? figure < best : figure > best);
    return better ? { best: figure, stale: 0 } : { best, stale: stale + 1 };
  }

  async #save(
    progress: Progress,
    { metric, planned = true }: { metric?: number; planned?: boolean } = {},
  ): Promise<void> {
    const { save, model, meta } = this.#o;
    if (!save) return;
    const { step, epoch, batch } = progress;
    this.#emit({ type: "save", step, epoch, batch, metric, planned });
    const all = await this.#state.read();
    const own = new Map(model.slots.map(({ name }) => [name, all.get(name) as TensorData]));
    const rest = new Map([...all].filter(([name]) => !own.has(name) && !name.startsWith(GATHERED)));
    const anchor = planned ? undefined : this.#anchor;
    const path = await save({ step, metric, anchor, model: own, optimizer: rest, meta: { ...meta, progress } });
    if (planned) this.#anchor = path;
    this.#emit({ type: "saved", path });
  }

  async #weights(): Promise<Map<string, TensorData>> {
    const [averages, frozen] = [this.#o.step.emaDecay !== undefined, alwaysFrozen(this.#o)];
    const names = this.#o.model.slots.map(({ name }) => name);
    const kept = (name: string) => (averages && !frozen.has(name) ? averageName(name) : name);
    const values = await this.#state.read(names.map(kept));
    return new Map(names.map((name) => [name, values.get(kept(name)) as TensorData]));
  }

  #emit(event: FitEvent): void {
    this.#o.onEvent?.(event);
  }

  async dispose(): Promise<void> {
    const evaluation = await this.#evaluation;
    await Promise.all([this.#stepping?.stepper, evaluation?.live, evaluation?.average].map((s) => s?.dispose()));
    await this.#state.dispose();
  }
}
