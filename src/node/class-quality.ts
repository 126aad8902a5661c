import { extname, join } from "node:path";
import type { Loader } from "../data/loader.ts";
import { TesseraeError } from "../errors.ts";
import type { Backend } from "../runtime/backend.ts";
import { type ClassQuality, Confusion } from "../train/confusion.ts";
import { type Judgement, Judgements } from "../train/judgements.ts";
import type { Metrics } from "../train/metrics.ts";
import { writeFileAtomic } from "./atomic-write.ts";
import { type Chart, drawChart, PICTURE_TYPES, pictureOf, rasterize } from "./chart.ts";
import { csvLine } from "./csv.ts";
import type { TrainedModel } from "./model-files.ts";
import { createPredictor } from "./predictor.ts";
import type { Records } from "./record/index.ts";
import type { TrainEvent } from "./train-options.ts";

export const CONFUSION_FILE = "confusion.csv";
export const CONFUSION_PICTURE = "confusion.svg";
export const PER_CLASS_FILE = "per-class.csv";

/** More classes than these make no picture that a person can read. */
export const MOST_DRAWN = 100;

/** What a model says of a set of images. */
export interface Judged {
  readonly metrics: Metrics;
  readonly judgements: readonly Judgement[];
  readonly confusion: Confusion;
}

/** Header: guesses; then a row for each true class, with its name. */
export const confusionCsv = ({ classes, matrix }: Confusion): string =>
  [["true \\ predicted", ...classes], ...matrix.map((row, c) => [classes[c], ...row])].map(csvLine).join("");

const cell = (value: number | undefined): string => (value === undefined ? "" : String(Number(value.toFixed(4))));

export const perClassCsv = (classes: readonly ClassQuality[]): string =>
  [
    ["class", "images", "accuracy", "precision", "f1", "mistaken_for", "mistaken_images"],
    ...classes.map(({ name, images, accuracy, precision, f1, mistakenFor }) => [
      ...[name, images, cell(accuracy), cell(precision), cell(f1)],
      ...[mistakenFor?.name ?? "", mistakenFor?.images ?? ""],
    ]),
  ]
    .map(csvLine)
    .join("");

/** A heat map: the colour is the share of the true class's images, the numbers are counts. */
export function confusionChart({ classes, matrix }: Confusion): Chart {
  const side = Math.max(14, Math.min(34, 620 / classes.length));
  const values = matrix.flatMap((row, c) => {
    const images = row.reduce((a, b) => a + b, 0);
    return row.map((count, k) => ({ c, k, count, share: images > 0 ? count / images : 0 }));
  });
  const names = (what: "c" | "k", title: string, labelAngle: number) =>
    ({
      field: what,
      type: "ordinal",
      title,
      axis: { labelExpr: `${JSON.stringify(classes)}[datum.value]`, labelAngle, labelLimit: 140, ticks: false },
    }) as const;
  const encoding = { x: names("k", "predicted", -60), y: names("c", "true", 0) };
  const color = {
    field: "share",
    type: "quantitative",
    title: "share of class",
    scale: { domain: [0, 1], range: ["#ffffff", "#0b559f"], interpolate: "rgb" },
    legend: { format: "%", gradientLength: 120 },
  } as const;
  const numbers = {
    mark: { type: "text", fontSize: Math.min(12, side / 2.6) },
    encoding: {
      ...encoding,
      text: { field: "count", type: "quantitative", format: "d" },
      color: { condition: { test: "datum.share > 0.5", value: "white" }, value: "#333333" },
    },
    transform: [{ filter: "datum.count > 0" }],
  } as const;
  return {
    width: { step: side },
    height: { step: side },
    data: { values },
    layer: [{ mark: "rect", encoding: { ...encoding, color } }, ...(classes.length <= 40 ? [numbers] : [])],
    config: { axis: { grid: false, domain: false }, scale: { bandPaddingInner: 0, bandPaddingOuter: 0 } },
  } as Chart;
}

/** Throws TesseraeError("usage") for a name that `writeConfusion` cannot make a file of, and for too many classes to draw. */
export function checkConfusionName(path: string, classes: number): void {
  const type = extname(path).toLowerCase();
  const hint = "As in --confusion confusion.csv";
  if (![".csv", ".json", ...PICTURE_TYPES].includes(type))
    throw new TesseraeError("usage", "its name must end in .csv, .json, .svg or .png", { where: path, hint });
  if (PICTURE_TYPES.includes(type) && classes > MOST_DRAWN)
    throw new TesseraeError("usage", `${classes} classes are too many to draw, ${MOST_DRAWN} at most`, {
      where: path,
      hint,
    });
}

/** A file of the matrix, by the end of its name: .csv, .json ({"classes", "counts"}), .svg or .png. */
export async function writeConfusion(path: string, confusion: Confusion): Promise<void> {
  checkConfusionName(path, confusion.classes.length);
  const type = extname(path).toLowerCase();
  if (type === ".csv") return writeFileAtomic(path, confusionCsv(confusion));
  const { classes, matrix } = confusion;
  if (type === ".json") return writeFileAtomic(path, `${JSON.stringify({ classes, counts: matrix })}\n`);
  const svg = await drawChart(confusionChart(confusion));
  return writeFileAtomic(path, type === ".png" ? await rasterize(svg) : svg);
}

/** Writes confusion.csv and per-class.csv into a run's folder, and confusion.svg, whose text comes back, where it can be read. */
async function writeFiles(run: string, confusion: Confusion): Promise<string | undefined> {
  await writeFileAtomic(join(run, CONFUSION_FILE), confusionCsv(confusion));
  await writeFileAtomic(join(run, PER_CLASS_FILE), perClassCsv(confusion.perClass));
  if (confusion.classes.length > MOST_DRAWN) return undefined;
  const svg = await drawChart(confusionChart(confusion));
  await writeFileAtomic(join(run, CONFUSION_PICTURE), svg);
  return svg;
}

export interface MeasureClassesOptions {
  readonly model: TrainedModel;
  readonly backend: Backend;
  readonly val: Loader;
  readonly records: Records;
  readonly emit: (event: TrainEvent) => void;
  readonly signal?: AbortSignal;
}

/**
 * How well a run's model tells each class from the others, into the run's folder and records too. Undefined where
 * `signal` ends it.
 */
export async function measureClasses(
  run: string,
  { model, backend, val, records, emit, signal }: MeasureClassesOptions,
): Promise<Judged | undefined> {
  const [confusion, judgements] = [new Confusion(model.spec.classes), new Judgements()];
  let metrics: Metrics;
  const predictor = await createPredictor(model, backend);
  try {
    const onBatch = (done: number, total: number) => emit({ type: "evaluate", done, total });
    metrics = await predictor.evaluate(val, { onBatch, meters: [confusion, judgements], signal });
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  } finally {
    await predictor.dispose();
  }
  const svg = await writeFiles(run, confusion);
  if (svg !== undefined) records.event({ type: "picture", tag: "confusion", ...(await pictureOf(svg)) });
  await records.flush();
  return { metrics, judgements: judgements.all, confusion };
}
