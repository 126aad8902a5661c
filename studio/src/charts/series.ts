import type { EpochPoint, RunCurves, StepPoint } from "../../../src/studio/run.ts";
import { MOST_STEPS, thinned } from "../../../src/studio/thin.ts";

/** Curves of one run as far as they are known. */
export interface Known {
  readonly steps: readonly StepPoint[];
  readonly epochs: readonly EpochPoint[];
}

export const NOTHING: Known = { steps: [], epochs: [] };

/** What is known after news; a curve that has grown to twice the most is averaged again. */
export function joined(known: Known, { whole, steps, epochs }: RunCurves): Known {
  const all = whole ? steps : [...known.steps, ...steps];
  return { steps: all.length > 2 * MOST_STEPS ? thinned(all) : all, epochs };
}

/** A line of a chart; x rises. */
export interface Line {
  readonly name: string;
  readonly color: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** A pale line behind others. */
  readonly faint?: boolean;
  readonly points?: boolean;
}

/** Updates of an epoch; undefined before the first has ended. */
export function updatesPerEpoch({ epochs }: Known): number | undefined {
  const last = epochs.findLast((e) => e.step !== undefined);
  return last?.step === undefined ? undefined : last.step / (last.epoch + 1);
}

/** What the x-axis of some runs counts: epochs where each has finished one, else updates. */
export const unitOf = (runs: readonly Known[]): "epoch" | "update" =>
  runs.every((run) => updatesPerEpoch(run) !== undefined) ? "epoch" : "update";

const scaleOf = (run: Known, unit: "epoch" | "update"): number => (unit === "epoch" ? (updatesPerEpoch(run) ?? 1) : 1);

/** One figure of every step. */
export function ofSteps(run: Known, unit: "epoch" | "update", value: (p: StepPoint) => number | undefined) {
  const scale = scaleOf(run, unit);
  const shown = run.steps.filter((p) => value(p) !== undefined);
  return { x: shown.map((p) => p.step / scale), y: shown.map((p) => value(p) as number) };
}

/** One figure of every epoch, at its end. */
export function ofEpochs(run: Known, unit: "epoch" | "update", value: (p: EpochPoint) => number | undefined) {
  const shown = run.epochs.filter((e) => value(e) !== undefined && (unit === "epoch" || e.step !== undefined));
  const x = shown.map((e) => (unit === "epoch" ? e.epoch + 1 : (e.step as number)));
  return { x, y: shown.map((e) => value(e) as number) };
}

/** Shorter curves are left as they are. */
const SHORTEST = 20;

/** Exponential mean over the last twenty-fifth of the points, about; corrected at its beginning as Adam's is. */
export function smoothed(values: readonly number[]): number[] {
  const keep = values.length < SHORTEST ? 0 : Math.exp(-25 / values.length);
  let [sum, weight] = [0, 0];
  return values.map((v) => {
    sum = keep * sum + (1 - keep) * v;
    weight = keep * weight + (1 - keep);
    return sum / weight;
  });
}

/** Colours of runs and lines, legible on light and dark. */
export const COLORS = ["#0ea58c", "#e08a00", "#e5484d", "#3e7bfa", "#8b5cf6", "#d6409f", "#5d9c17", "#0891b2"] as const;

export const colorOf = (index: number): string => COLORS[index % COLORS.length];

/** In a sentence: for those who do not see the chart. */
export function described(lines: readonly Line[], unit: string): string {
  const parts = lines
    .filter((l) => !l.faint && l.y.length > 0)
    .map(({ name, x, y }) => {
      const number = (v: number) => Number(v.toPrecision(3));
      return `${name}: from ${number(y[0])} to ${number(y[y.length - 1])} at ${unit} ${number(x[x.length - 1])}`;
    });
  return parts.length > 0 ? parts.join("; ") : "no points yet";
}
