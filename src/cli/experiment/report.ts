import { readFile } from "node:fs/promises";
import { dirname, relative } from "node:path";
import { writeFileAtomic } from "../../node/atomic-write.ts";
import { type Chart, writeChart } from "../../node/chart.ts";
import type { Experiment } from "./recipe.ts";
import type { RunResult } from "./results.ts";

/** Name of the run's own evaluation in the figure's field `evaluation`. */
export const AS_TRAINED = "as trained";

/** What figures draw: a row for each evaluation of each run, the value of each axis under the axis' name. */
export function rowsOf(results: readonly RunResult[]): Record<string, string | number>[] {
  return results.flatMap(({ values, evaluations, gmacs, imagesSeen, parameters, ...r }) =>
    Object.entries({ [AS_TRAINED]: r.top1, ...evaluations }).map(([evaluation, top1]) => ({
      ...values,
      seed: r.seed,
      evaluation,
      top1,
      images: r.images,
      parameters,
      mmacs: 1000 * gmacs,
      /** Of the forward passes of training, in units of 10^12. */
      trainingTmacs: (gmacs * imagesSeen) / 1000,
      seconds: r.seconds,
      cpuSeconds: r.cpuSeconds,
      peakMemoryMiB: r.peakMemoryMiB,
    })),
  );
}

export const figureOf = ({ figure }: Experiment, results: readonly RunResult[]): Chart =>
  ({ ...figure, data: { values: rowsOf(results) } }) as unknown as Chart;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Sample standard deviation. */
const deviation = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((s, v) => s + (v - mean(values)) ** 2, 0) / (values.length - 1));

/** "61.2 ± 0.4", or "61.2" of one seed. */
export const meanAndDeviation = (values: readonly number[]): string =>
  values.length < 2 ? (values[0]?.toFixed(1) ?? "") : `${mean(values).toFixed(1)} ± ${deviation(values).toFixed(1)}`;

/** Empty where all ran on another device. */
function meanOnProcessor(runs: readonly RunResult[], key: "cpuSeconds" | "peakMemoryMiB"): string {
  const own = runs.filter(({ device }) => device === undefined).map((run) => run[key]);
  return own.length === 0 ? "" : mean(own).toFixed(0);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.values()];
}

/** A Markdown table of means and standard deviations over seeds. */
export function tableOf({ columns }: Experiment, results: readonly RunResult[]): string {
  const axes = Object.keys(results[0]?.values ?? {}).filter((axis) => axis !== columns);
  const names = [...new Set(results.flatMap(({ evaluations }) => Object.keys(evaluations)))];
  const settings = columns ? [...new Set(results.map(({ values }) => values[columns]))] : [undefined];
  const title = (what: string, setting?: string) => [setting, what].filter(Boolean).join(", ");
  const measures: { head: string; cell: (runs: readonly RunResult[]) => string }[] = settings.flatMap((setting) => {
    const own = (runs: readonly RunResult[]) => runs.filter(({ values }) => !columns || values[columns] === setting);
    return [
      { head: title("top-1 %", setting), cell: (runs) => meanAndDeviation(own(runs).map(({ top1 }) => top1)) },
      ...names.map((name) => ({
        head: title(name, setting),
        cell: (runs: readonly RunResult[]) => meanAndDeviation(own(runs).map(({ evaluations }) => evaluations[name])),
      })),
    ];
  });
  measures.push(
    { head: "parameters", cell: ([run]) => run.parameters.toLocaleString("en") },
    { head: "MMACs", cell: ([run]) => (1000 * run.gmacs).toFixed(1) },
    { head: "processor s a run", cell: (runs) => meanOnProcessor(runs, "cpuSeconds") },
    { head: "peak MiB", cell: (runs) => meanOnProcessor(runs, "peakMemoryMiB") },
    { head: "seeds", cell: (runs) => String(new Set(runs.map(({ seed }) => seed)).size) },
  );
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = grouped(results, ({ values }) => JSON.stringify(axes.map((axis) => values[axis]))).map((runs) =>
    line([...axes.map((axis) => runs[0].values[axis]), ...measures.map(({ cell }) => cell(runs))]),
  );
  const rule = [...axes.map(() => "---"), ...measures.map(() => "---:")];
  return [line([...axes, ...measures.map(({ head }) => head)]), line(rule), ...lines].join("\n");
}

/** The text with the table of an experiment in its place, `<!-- experiment: NAME -->` to `<!-- /experiment -->`. */
export function withTable(text: string, name: string, table: string): string {
  const place = new RegExp(`(<!-- experiment: ${name} -->\n)[\\s\\S]*?(<!-- /experiment -->)`);
  return text.replace(place, (_, begin, end) => `${begin}${table}\n${end}`);
}

export interface ReportPaths {
  /** Markdown with places for tables. */
  readonly page: string;
  readonly figure: string;
}

/** Draws the figure and writes the table, where there are results. */
export async function report(
  experiment: Experiment,
  results: readonly RunResult[],
  { page, figure }: ReportPaths,
): Promise<void> {
  if (results.length === 0) return;
  await writeChart(figure, figureOf(experiment, results));
  const before = await readFile(page, "utf8");
  const picture = `![${experiment.title}](${relative(dirname(page), figure).replaceAll("\\", "/")})`;
  const after = withTable(before, experiment.name, `${picture}\n\n${tableOf(experiment, results)}`);
  if (after !== before) await writeFileAtomic(page, after);
}
