import { mkdir } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { Command, Option } from "commander";
import pc from "picocolors";
import { TesseraeError } from "../../errors.ts";
import { count } from "../flags.ts";
import { onInterrupt } from "../interrupt.ts";
import { clock, note, plural, print, printJson, shellWords, table } from "../output.ts";
import type { CommandDefinition } from "../program.ts";
import { Exit, FAILED, INTERRUPTED } from "../report.ts";
import type { Place, TrialState } from "../sweep/state.ts";
import { trainCommand } from "./train.ts";

interface SweepFlags {
  output?: string;
  trials?: number;
  retryFailed?: boolean;
  json?: boolean;
}

/** Where sweeps go when they are not told. */
const SWEEPS = "sweeps";

export const sweepCommand = (): CommandDefinition => ({
  example: "sweep rates.yaml shapes --output sweeps/rates",
  command: new Command("sweep")
    .description("train a grid or random draws of settings, one run after another, and rank them")
    .argument(
      "<file>",
      "YAML or JSON: method, trials, seed, train (flags of all runs), parameters (flag: values or range)",
    )
    .argument("[data]", "an image set (default: the file's data)")
    .option("--output <dir>", `folder of the sweep; the same one goes on (default: ${SWEEPS}/FILE)`)
    .addOption(new Option("--trials <n>", "draws of a random sweep, instead of the file's").argParser(count))
    .option("--retry-failed", "train failed trials again")
    .option("--json", "print the leaderboard as JSON")
    .action(run),
});

async function run(file: string, given: string | undefined, flags: SweepFlags): Promise<void> {
  const { readSweep } = await import("../sweep/file.ts");
  const { acquireRunLock } = await import("../../node/run-lock.ts");
  const { openState } = await import("../sweep/state.ts");
  const sweep = await readSweep(file, trainCommand().command, flags.trials);
  const data = given ?? sweep.data;
  if (data === undefined)
    throw new TesseraeError("usage", "names no data", { where: file, hint: "tesserae sweep FILE DATA" });
  const folder = flags.output ?? join(SWEEPS, basename(file, extname(file)));
  await mkdir(folder, { recursive: true });
  const lock = acquireRunLock(folder);
  const interrupt = onInterrupt(note, "stopping the trial, which saves");
  try {
    const known = await openState(folder, sweep.trials);
    const trials = known.map(
      (t): TrialState => (flags.retryFailed && t.status === "failed" ? { ...t, status: "waiting" } : t),
    );
    await driveAll(trials, { folder, data, signal: interrupt.signal });
    await tell(folder, trials, { ...flags, interrupted: interrupt.signal.aborted });
  } finally {
    interrupt.release();
    lock.release();
  }
}

/** Trains what is not finished, one trial after another; `trials` and the sweep's files hold what became of each. */
async function driveAll(
  trials: TrialState[],
  options: { readonly folder: string; readonly data: string; readonly signal: AbortSignal },
): Promise<void> {
  const { driveTrial } = await import("../sweep/drive.ts");
  const { LEADERBOARD_FILE, leaderboard, leaderboardCsv, writeState } = await import("../sweep/state.ts");
  const { writeFileAtomic } = await import("../../node/atomic-write.ts");
  const { folder, signal } = options;
  await writeState(folder, trials);
  for (const [i, trial] of trials.entries()) {
    if (signal.aborted) return;
    if (trial.status === "finished" || trial.status === "failed") continue;
    note(pc.bold(`trial ${i + 1}/${trials.length}  ${settingsOf(trial)}`));
    const { error: _, ...fresh } = trial;
    trials[i] = { ...fresh, ...(await driveTrial(trial, options)) };
    await writeState(folder, trials);
    await writeFileAtomic(join(folder, LEADERBOARD_FILE), leaderboardCsv(await leaderboard(folder, trials)));
  }
}

const settingsOf = ({ values }: TrialState): string =>
  Object.entries(values)
    .map(([flag, value]) => `${flag} ${value}`)
    .join("  ");

async function tell(
  folder: string,
  trials: readonly TrialState[],
  { json, interrupted }: SweepFlags & { interrupted: boolean },
): Promise<void> {
  const { leaderboard } = await import("../sweep/state.ts");
  const places = await leaderboard(folder, trials);
  const finished = places.filter(({ status }) => status === "finished").length;
  if (json) printJson(places.map(({ flags: _, ...place }) => place));
  else for (const line of boardTable(places)) print(line);
  if (interrupted) {
    note(`interrupted with ${finished} of ${plural(trials.length, "trial")} done; the same command goes on`);
    throw new Exit(INTERRUPTED);
  }
  if (!json && finished > 0) print(`best: ${shellWords([join(folder, places[0].name)])}`);
  if (finished === 0) throw new Exit(FAILED);
}

function boardTable(places: readonly Place[]): string[] {
  const flags = [...new Set(places.flatMap(({ values }) => Object.keys(values)))];
  const rows = places.map(({ rank, name, status, values, figures, error }) => [
    ...[rank ?? "-", name, ...flags.map((flag) => String(values[flag] ?? "-"))],
    ...[figures?.best?.top1?.toFixed(2) ?? "-", figures?.best?.loss?.toFixed(4) ?? "-"],
    ...[figures?.seconds === undefined ? "-" : clock(figures.seconds), error ?? status],
  ]);
  return table(["rank", "trial", ...flags, "top-1 %", "loss", "time", ""], rows);
}
