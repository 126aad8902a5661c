import { Command } from "commander";
import pc from "picocolors";
import type { Difference, EpochFigures, RunFigures } from "../../node/compare.ts";
import { clock, note, print, printJson, short, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";

interface CompareFlags {
  output?: string;
  json?: boolean;
}

const DEFAULT_OUTPUT = "compare.svg";

export const compareCommand = (): CommandDefinition => ({
  example: "compare runs/one runs/two -o curves.png",
  command: new Command("compare")
    .description("draw the curves of runs and tell what differs between them")
    .argument("<run...>", "run folders")
    .option("-o, --output <file>", `picture of the curves, .svg or .png (default: ${DEFAULT_OUTPUT}; none with --json)`)
    .option("--json", 'print {"runs": [...], "differences": [{"name", "values"}, ...]}')
    .action(run),
});

async function run(paths: readonly string[], flags: CompareFlags): Promise<void> {
  const { checkPictureName, writeChart } = await import("../../node/chart.ts");
  const { comparisonChart, differencesOf, figuresOf, readRuns } = await import("../../node/compare.ts");
  const output = flags.output ?? (flags.json ? undefined : DEFAULT_OUTPUT);
  if (output !== undefined) checkPictureName(output);
  const runs = await readRuns(paths);
  const figures = runs.map(figuresOf);
  const differences = differencesOf(runs);
  if (output !== undefined && runs.some(({ epochs }) => epochs.length > 0)) {
    await writeChart(output, comparisonChart(runs));
    note(`curves in ${output}`);
  }
  if (flags.json) return printJson({ runs: figures, differences });
  for (const line of figureTable(figures)) print(line);
  print();
  for (const line of differenceTable(figures, differences)) print(line);
}

const fixed = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? "-";

function figureTable(figures: readonly RunFigures[]): string[] {
  const of = (e: EpochFigures | undefined) => [fixed(e?.top1, 2), fixed(e?.loss, 4)];
  const rows = figures.map((f) => [
    ...[f.run, f.parameters === undefined ? "-" : short(f.parameters), f.epochs],
    ...[f.best ? f.best.epoch + 1 : "-", ...of(f.best), ...of(f.last), fixed(f.last?.trainLoss, 4)],
    f.seconds === undefined ? "-" : clock(f.seconds),
  ]);
  const header = [
    "run",
    "parameters",
    "epochs",
    "best",
    "top-1 %",
    "loss",
    "last top-1 %",
    "loss",
    "train loss",
    "time",
  ];
  return table(header, rows);
}

const LONGEST = 28;

function shown(value: unknown): string {
  const text = value === undefined ? "-" : typeof value === "string" ? value : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

function differenceTable(figures: readonly RunFigures[], differences: readonly Difference[]): string[] {
  if (differences.length === 0) return ["the runs have the same settings, data, versions and machine"];
  const rows = differences.map(({ name, values }) => [name, ...values.map(shown)]);
  return [pc.bold("what differs"), ...table(["", ...figures.map(({ run }) => run)], rows)];
}
