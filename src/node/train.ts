import { join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { withAdapters, withFreshAdapters } from "../models/adapters.ts";
import { freezePlan, frozenSlots } from "../models/freeze.ts";
import type { Model } from "../models/model.ts";
import { specOf } from "../models/spec.ts";
import { countParameters } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { checkpointName, type LoadedCheckpoint } from "../train/checkpoint.ts";
import type { ClassQuality } from "../train/confusion.ts";
import { type FitEvent, type FitResult, fit } from "../train/fit.ts";
import type { Metrics } from "../train/metrics.ts";
import { type CheckpointStore, createCheckpointStore, loadCheckpoint } from "./checkpoint-store.ts";
import { type Judged, measureClasses } from "./class-quality.ts";
import { exportFile } from "./export-file.ts";
import { licenseLine, type ResolveOptions } from "./hub/index.ts";
import { inRunFolder } from "./in-run-folder.ts";
import { engineOf, type Machine, machineOf } from "./machine.ts";
import { fromCheckpoint, type TrainedModel } from "./model-files.ts";
import { probedHead } from "./probe.ts";
import { batchOf, buildModel, createLoaders, epochsOf, mixingOf, scheduleOf, stepOptionsOf } from "./recipe.ts";
import { openRecords } from "./record/index.ts";
import { checkResumed } from "./resumed.ts";
import { describeRun, differencesFrom } from "./run-config.ts";
import { MODEL_FILE, writeConfig } from "./run-folder.ts";
import { settle, type TrainSettings } from "./settings/index.ts";
import { dataFingerprint } from "./sources/fingerprint.ts";
import { type OpenedData, openData } from "./sources/open-data.ts";
import { type Start, startOf } from "./start.ts";
import { openTeacher } from "./teacher.ts";
import type { TrainEvent, TrainOptions } from "./train-options.ts";
import type { Measured } from "./tuning/measure.ts";
import { FormStore } from "./tuning/store.ts";
import { Tuner, tuneBeside } from "./tuning/tuner.ts";

export interface TrainResult extends Omit<FitResult, "weights"> {
  /** The run folder: checkpoints, model.onnx, records, config.json. */
  readonly output: string;
  /** The exported model; absent where the run was interrupted. */
  readonly onnx?: string;
  /** How well the exported model tells the classes apart on the held-out images; absent where there are none. */
  readonly perClass?: readonly ClassQuality[];
  /** The report, a page; absent where none was wanted or it could not be written. */
  readonly report?: string;
  /** Files that could not be read: path and reason. */
  readonly skipped: ReadonlyMap<string, string>;
}

/**
 * Trains a model on an image set and leaves a run folder. Same settings, same machine: same weights, whatever
 * the number of data workers. Throws TesseraeError; aborting `signal` finishes the step, saves and returns.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const emit = options.onEvent ?? (() => {});
  const { settings, start } = await startOf(settle(options), options, hubOptions(options, emit));
  const data = await openData(options.data, settings);
  const model = buildModel(settings, data.train.classes.length, start);
  const output = options.output ?? defaultOutput(settings.model);
  return inRunFolder(output, () => trainIn(output, { ...options, onEvent: emit }, settings, model, data, start));
}

/** The licence of what is downloaded is told before it is. */
const hubOptions = ({ onDownload, signal }: TrainOptions, emit: (event: TrainEvent) => void): ResolveOptions => ({
  onLicense: (license, repo) => emit({ type: "note", message: licenseLine(license, repo) }),
  onWarning: (message) => emit({ type: "warning", message }),
  onProgress: onDownload,
  signal,
});

const defaultOutput = (model: string): string =>
  join("runs", `${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}-${model}`);

async function trainIn(
  output: string,
  options: TrainOptions,
  s: TrainSettings,
  base: Model,
  data: OpenedData,
  start: Start,
): Promise<TrainResult> {
  const { signal } = options;
  const { loraRank: rank, loraAlpha: alpha, loraTargets: targets } = s;
  const model = rank === undefined ? base : withAdapters(base, { rank, alpha, targets });
  const emit = options.onEvent as (event: TrainEvent) => void;
  const warn = (message: string) => emit({ type: "warning", message });
  const better = s.evalMetric === "loss" ? "lower" : "higher";
  const store = createCheckpointStore(output, { history: s.checkpointHist, better, onWarning: warn });
  const found = await resumeFrom(store, output, options.resume);
  for (const line of [...data.notes, ...(found?.warnings ?? [])]) warn(line);
  const fingerprint = { train: await dataFingerprint(data.train), val: await dataFingerprint(data.val) };
  for (const line of found ? checkResumed(found, { model, settings: s, classes: data.train.classes, fingerprint }) : [])
    warn(line);
  const spec = { ...specOf(model, classNames(data.train.classes, model.numClasses)), ...start.facts };
  const epoch = (found?.meta.progress as { epoch: number } | undefined)?.epoch ?? 0;
  const before = (found?.meta.machine ?? options.repeat?.machine) as Partial<Machine> | undefined;
  const { machine, changed } = await machineOf(s, before);
  if (changed.length > 0)
    warn(`the run ${found ? "goes on" : "is repeated"} elsewhere, where its bits may differ: ${changed.join("; ")}`);
  const config = await describeRun(options, { settings: s, spec, data, fingerprint, machine });
  if (options.repeat) differencesFrom(options.repeat, config).forEach(warn);
  await writeConfig(output, config);
  const epochs = epochsOf(s);
  emit(startEvent(output, model, data, epochs, epoch));
  const { weights, lines } = start.weights(base, s.seed);
  for (const message of found ? [] : lines) emit({ type: "note", message });
  const frozen = freezePlan(model, s, rank === undefined ? undefined : frozenSlots(base, ["*"]));
  const records = await openRecords(output, {
    from: { step: found?.step ?? 0, epoch },
    averaged: s.modelEma !== undefined,
    interval: s.recordInterval,
  });
  const loaders = createLoaders(s, model, data);
  const tuner = new Tuner(machine.forms);
  const backend = await engineOf(machine, s, tuner.choose);
  const tuning = s.deterministic ? undefined : tuneBeside(tuner, backend, new FormStore(machine));
  const step = stepOptionsOf(s, batchOf(s, data.train));
  const pupil = { model, classes: data.train.classes, batch: step.batch };
  try {
    const probed =
      found || s.headInit === "random" ? undefined : await probedHead(base, weights(), data.train, backend, s);
    const begun = () => probed ?? weights();
    const { weights: _, ...result } = await fit({
      model,
      backend,
      weights: () => (model === base ? begun() : withFreshAdapters(model, begun(), s.seed)),
      step,
      teacher:
        s.teacher === undefined ? undefined : await openTeacher(s.teacher, pupil, backend, hubOptions(options, emit)),
      frozen,
      evaluateFirst: s.headInit === "probe",
      patience: s.patience,
      mixing: mixingOf(s),
      maxBadSteps: s.maxBadSteps,
      rollback:
        s.rollbackOnSpike === undefined
          ? undefined
          : { factor: s.rollbackOnSpike, load: (path) => loadOrBefore(store, path, warn) },
      saveInterval: s.recoveryInterval,
      epochs,
      schedule: scheduleOf(s, step, loaders.train.batchesPerEpoch),
      ...loaders,
      metric: s.evalMetric,
      valInterval: s.valInterval,
      resume: found && (await store.adopt(found)),
      save: async (state) => {
        await records.flush(); // a run goes on from a checkpoint only with its records
        return store.save(state);
      },
      meta: { spec, settings: s, fingerprint, machine },
      onEvent: (event) => {
        records.event(event);
        emit(event);
        const line = troubleOf(event);
        if (line) warn(line);
        const fact = factOf(event);
        if (fact) emit({ type: "note", message: fact });
      },
      signal,
    });
    await records.flush();
    const finished = result.interrupted ? undefined : await exportBest(store, output);
    const judged =
      finished && loaders.val
        ? await measureClasses(output, { ...finished, val: loaders.val, backend, records, emit, signal })
        : undefined;
    const interrupted = Boolean(signal?.aborted) && (result.interrupted || judged === undefined);
    const report =
      finished && s.report && !signal?.aborted
        ? await reportOf(output, { ...finished, data, judged }, backend, warn)
        : undefined;
    const skipped = new Map([...loaders.train.skipped, ...(loaders.val?.skipped ?? [])]);
    return {
      ...result,
      interrupted,
      output,
      skipped,
      onnx: finished?.onnx,
      perClass: judged?.confusion.perClass,
      report,
    };
  } finally {
    const measured = await tuning?.stop();
    if (measured?.length) emit({ type: "note", message: tunedLine(measured) });
    await Promise.all([loaders.train.close(), loaders.val?.close(), backend.dispose(), records.close()]);
  }
}

/** What a step that went wrong is worth saying. */
function troubleOf(event: FitEvent): string | undefined {
  if (event.type === "bad-step")
    return `step ${event.step} was not applied: ${Number.isFinite(event.loss) ? "its gradient is not finite" : `its loss is ${event.loss}`} (${event.inARow} in a row, ${event.total} in all)`;
  if (event.type === "rollback")
    return `step ${event.step}: the loss ${event.loss.toPrecision(4)} left its mean ${event.mean.toPrecision(4)}; weights go back to step ${event.to}`;
  return undefined;
}

/** What a run tells of its course. */
function factOf(event: FitEvent): string | undefined {
  if (event.type === "begin") {
    const { top1, loss } = (event.valAverage ?? event.val) as Metrics;
    return `before the first epoch: top-1 ${top1.toFixed(2)} %, loss ${loss.toFixed(4)}`;
  }
  if (event.type === "thaw") return `from epoch ${event.epoch + 1} on ${event.trained} tensors are trained`;
  if (event.type === "early-stop")
    return `ended after epoch ${event.epoch + 1}: the best figure, ${event.best.toPrecision(4)}, was not reached again (--patience)`;
  return undefined;
}

/** What was measured beside the run, for the next. */
function tunedLine(measured: readonly Measured[]): string {
  const better = measured.filter(({ form }) => form !== null).length;
  return `measured how ${measured.length} operators are computed fastest here: ${better} other than by the rule, from the next run on`;
}

const startEvent = (
  output: string,
  model: Model,
  { train, val }: OpenedData,
  epochs: number,
  epoch: number,
): TrainEvent => ({
  type: "start",
  output,
  model: model.name,
  parameters: countParameters(model),
  images: train.samples.length,
  valImages: val.samples.length,
  classes: train.classes.length,
  epochs,
  epoch,
});

/** Names for all of the model's classes; those beyond the data's are numbers. */
const classNames = (classes: readonly string[], count: number): string[] =>
  Array.from({ length: count }, (_, i) => classes[i] ?? String(i));

async function resumeFrom(
  store: CheckpointStore,
  output: string,
  resume?: string,
): Promise<LoadedCheckpoint | undefined> {
  if (resume !== undefined && resume !== "auto") return loadCheckpoint(resolve(resume));
  if (resume === "auto") return store.latest();
  if ((await store.list()).length > 0)
    throw new TesseraeError("usage", "holds a run already", {
      where: output,
      hint: "Go on with --resume auto, or choose another --output",
    });
  return undefined;
}

/** A checkpoint, or the newest intact one where that is damaged, with a warning. */
async function loadOrBefore(
  store: CheckpointStore,
  path: string,
  warn: (line: string) => void,
): Promise<LoadedCheckpoint> {
  try {
    return await store.load(path);
  } catch (error) {
    const other = await store.latest();
    if (!other) throw error;
    warn(`${(error as Error).message}. Using ${checkpointName(other.path)} instead`);
    return other;
  }
}

/** Exports the best checkpoint as the run's model. */
async function exportBest(store: CheckpointStore, output: string): Promise<Finished | undefined> {
  const checkpoint = (await store.best()) ?? (await store.latest());
  if (!checkpoint) return undefined;
  const model = fromCheckpoint(checkpoint);
  const onnx = join(output, MODEL_FILE);
  await exportFile(model, onnx);
  return { model, onnx };
}

/** Writes the run's report. One that fails is a line, and no failure of the run. */
async function reportOf(
  output: string,
  { model, data, judged }: { readonly model: TrainedModel; readonly data: OpenedData; readonly judged?: Judged },
  backend: Backend,
  warn: (line: string) => void,
): Promise<string | undefined> {
  try {
    const { writeRunReport } = await import("./report/index.ts");
    const { page } = await writeRunReport(output, { trained: model, data, judged }, backend);
    return page;
  } catch (error) {
    warn(`no report is written: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
}

interface Finished {
  readonly model: TrainedModel;
  readonly onnx: string;
}
