import { readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { createModel } from "../models/index.ts";
import { countParameters } from "../models/trace.ts";
import type { Chart } from "./chart.ts";
import { errorCode, ioError } from "./file-system.ts";
import { type JournalRecord, readJournal } from "./record/journal.ts";
import { readSummary } from "./record/summary.ts";
import { isRunConfig, type RunConfig } from "./run-config.ts";
import { CONFIG_FILE } from "./run-folder.ts";

/** What a run left, read back. */
export interface RunFolder {
  /** The folder's name, or its path where two have the same name. */
  readonly name: string;
  readonly path: string;
  readonly config: RunConfig;
  readonly epochs: readonly EpochFigures[];
  readonly journal: readonly JournalRecord[];
}

/** A row of summary.csv; the averages' figures where they were evaluated. */
export interface EpochFigures {
  readonly epoch: number;
  readonly trainLoss?: number;
  readonly loss?: number;
  readonly top1?: number;
  readonly top5?: number;
  readonly lr?: number;
}

const numberOf = (cell: string | undefined): number | undefined =>
  cell === undefined || cell === "" || !Number.isFinite(Number(cell)) ? undefined : Number(cell);

/** Reads run folders. Throws TesseraeError: "io" where one is none, "data" where its config.json is not a run's. */
export async function readRuns(paths: readonly string[]): Promise<RunFolder[]> {
  const names = paths.map((path) => basename(resolve(path)));
  return Promise.all(
    paths.map((path, i) => readRun(path, names.filter((n) => n === names[i]).length > 1 ? path : names[i])),
  );
}

async function readRun(path: string, name: string): Promise<RunFolder> {
  const epochs = epochFigures(await readSummary(path));
  return { name, path, config: await readConfigOf(path), epochs, journal: await readJournal(path) };
}

/** Figures of the rows of a summary.csv. */
export const epochFigures = (rows: readonly Readonly<Record<string, string>>[]): EpochFigures[] =>
  rows.map((row) => {
    const averaged = (column: string) => numberOf(row[`${column}_ema`]) ?? numberOf(row[column]);
    return {
      epoch: Number(row.epoch),
      trainLoss: numberOf(row.train_loss),
      loss: averaged("eval_loss"),
      top1: averaged("eval_top1"),
      top5: averaged("eval_top5"),
      lr: numberOf(row.lr),
    };
  });

async function readConfigOf(run: string): Promise<RunConfig> {
  const where = join(run, CONFIG_FILE);
  let text: string;
  try {
    text = await readFile(where, "utf8");
  } catch (error) {
    if (errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR")
      throw ioError("cannot be read", error, { where });
    throw new TesseraeError("io", "is not a run folder", { where: run, hint: "It has no config.json" });
  }
  return parseRunConfig(text, where);
}

/** A run's config.json. Throws TesseraeError("data") where the text is none. */
export function parseRunConfig(text: string, where: string): RunConfig {
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {}
  if (typeof config !== "object" || config === null || !isRunConfig(config))
    throw new TesseraeError("data", "is not a run's config.json, or of an older version", { where });
  return config as RunConfig;
}

type Metric = "top1" | "top5" | "loss";

const metricOf = ({ config }: Pick<RunFolder, "config">): Metric => config.settings.evalMetric;

/** The epoch that is best by the run's own metric, the first of equals; undefined where none was evaluated. */
export function bestEpoch(run: Pick<RunFolder, "config" | "epochs">): EpochFigures | undefined {
  const metric = metricOf(run);
  const sign = metric === "loss" ? -1 : 1;
  const evaluated = run.epochs.filter((e) => e[metric] !== undefined);
  return evaluated.reduce<EpochFigures | undefined>(
    (best, e) => (best && sign * (e[metric] as number) <= sign * (best[metric] as number) ? best : e),
    undefined,
  );
}

export interface RunFigures {
  readonly run: string;
  readonly path: string;
  readonly model: string;
  readonly parameters?: number;
  readonly epochs: number;
  /** Which figure decides the best epoch. */
  readonly metric: Metric;
  readonly best?: EpochFigures;
  readonly last?: EpochFigures;
  /** Training and evaluation of all finished epochs; an epoch that was interrupted counts from where it went on. */
  readonly seconds?: number;
  readonly badSteps: number;
}

export function figuresOf(run: RunFolder): RunFigures {
  const { name, path, config, epochs, journal } = run;
  const ends = journal.filter(({ type }) => type === "epoch");
  const seconds = ends.reduce((sum, { seconds }) => sum + (typeof seconds === "number" ? seconds : 0), 0);
  return {
    run: name,
    path,
    model: config.spec.name,
    parameters: parametersOf(config),
    epochs: epochs.length,
    metric: metricOf(run),
    best: bestEpoch(run),
    last: epochs.at(-1),
    seconds: ends.length > 0 ? seconds : undefined,
    badSteps: journal.filter(({ type }) => type === "bad-step").length,
  };
}

/** Undefined for a model that is in no table: one read from a file. */
export function parametersOf({ spec }: Pick<RunConfig, "spec">): number | undefined {
  try {
    return countParameters(createModel(spec.name, spec.options));
  } catch {
    return undefined;
  }
}

export interface Difference {
  readonly name: string;
  /** A value for each run; undefined where it has none. */
  readonly values: readonly unknown[];
}

/** Settings, data, versions, machine and commit as one list of names. */
function facts({ data, fingerprint, settings, versions, machine, git }: RunConfig): Map<string, unknown> {
  const { modelOptions, ...rest } = settings;
  const inside = (name: string, values: object | undefined) =>
    Object.entries(values ?? {}).map(([key, value]) => [`${name}.${key}`, value] as const);
  return new Map<string, unknown>([
    ...Object.entries(rest),
    ...inside("modelOptions", modelOptions),
    ["data", data],
    ...inside("fingerprint", fingerprint),
    ...inside("versions", versions),
    ...inside("machine", machine),
    ...inside("git", git),
  ]);
}

/** What is not the same in all runs. */
export function differencesOf(runs: readonly Pick<RunFolder, "config">[]): Difference[] {
  const each = runs.map(({ config }) => facts(config));
  const names = [...new Set(each.flatMap((known) => [...known.keys()]))];
  return names
    .map((name) => ({ name, values: each.map((known) => known.get(name)) }))
    .filter(({ values }) => new Set(values.map((value) => JSON.stringify(value))).size > 1);
}

/** Points of a curve at most: a longer one is averaged. */
const MOST_POINTS = 400;

/** Loss by step, x in epochs; means of as many steps as it takes. */
function lossCurve({ journal, epochs }: RunFolder): { x: number; y: number }[] {
  const steps = journal.filter(({ type, loss }) => type === "step" && typeof loss === "number");
  const end = journal.findLast(({ type }) => type === "epoch");
  const perEpoch = end ? end.step / (end.epoch + 1) : 0;
  if (steps.length === 0 || perEpoch === 0)
    return epochs.map(({ epoch, trainLoss }) => ({ x: epoch + 1, y: trainLoss as number }));
  const width = Math.ceil(steps.length / MOST_POINTS);
  return Array.from({ length: Math.ceil(steps.length / width) }, (_, i) => {
    const some = steps.slice(i * width, (i + 1) * width);
    const mean = (value: (record: JournalRecord) => number) => some.reduce((sum, r) => sum + value(r), 0) / some.length;
    return { x: mean(({ step }) => step) / perEpoch, y: mean(({ loss }) => loss as number) };
  });
}

/** Curves of several runs: training loss, held-out loss, top-1, learning rate. Panels without a point are left out. */
export function comparisonChart(runs: readonly RunFolder[]): Chart {
  const byEpoch = (value: (e: EpochFigures) => number | undefined) => (run: RunFolder) =>
    run.epochs.map((e) => ({ x: e.epoch + 1, y: value(e) }));
  const panels: [string, string, (run: RunFolder) => { x: number; y: number | undefined }[]][] = [
    ["training loss", "~g", lossCurve],
    ["held-out loss", "~g", byEpoch((e) => e.loss)],
    ["held-out top-1, %", "~g", byEpoch((e) => e.top1)],
    ["learning rate", ".1e", byEpoch((e) => e.lr)],
  ];
  const names = runs.map(({ name }) => name);
  const drawn = panels.flatMap(([title, format, curve]) => {
    const values = runs.flatMap((run) =>
      curve(run)
        .filter(({ y }) => y !== undefined && Number.isFinite(y))
        .map(({ x, y }) => ({ x, y, run: run.name })),
    );
    return values.length > 0 ? [panel(title, format, values, names)] : [];
  });
  return {
    concat: drawn,
    columns: 2,
    spacing: 28,
    config: { legend: { orient: "bottom", columns: 3, labelLimit: 260, title: null } },
  } as Chart;
}

const panel = (title: string, format: string, values: object[], names: readonly string[]) => ({
  title,
  width: 340,
  height: 210,
  data: { values },
  // A run of one epoch is a point.
  mark: { type: "line", interpolate: "linear", point: values.length <= 60 ? { size: 18, filled: true } : false },
  encoding: {
    x: {
      field: "x",
      type: "quantitative",
      title: "epoch",
      axis: { tickMinStep: 1, format: "d" },
      scale: { nice: false },
    },
    y: { field: "y", type: "quantitative", title: null, axis: { format }, scale: { zero: false } },
    color: {
      field: "run",
      type: "nominal",
      scale: { domain: names, ...(names.length > 7 && { scheme: "tableau20" }) },
    },
  },
});
