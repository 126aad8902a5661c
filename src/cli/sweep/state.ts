import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { TesseraeError } from "../../errors.ts";
import { writeFileAtomic } from "../../node/atomic-write.ts";
import { bestEpoch, figuresOf, type RunFigures, readRuns } from "../../node/compare.ts";
import { csvLine } from "../../node/csv.ts";
import { errorCode, ioError } from "../../node/file-system.ts";
import type { Trial } from "./file.ts";

export const STATE_FILE = "sweep.json";
export const LEADERBOARD_FILE = "leaderboard.csv";
const FORMAT = "tesserae-sweep";

export interface Outcome {
  readonly status: "waiting" | "finished" | "failed" | "interrupted";
  /** Why it failed, one line. */
  readonly error?: string;
}

export type TrialState = Trial & Outcome;

/**
 * The trials with what is known of them from an earlier call. Throws TesseraeError("usage") where the folder holds
 * another sweep: the first trials must be the same, more or fewer may follow.
 */
export async function openState(folder: string, trials: readonly Trial[]): Promise<TrialState[]> {
  const saved = await readState(folder);
  const other = saved.findIndex((s, i) => trials[i] && JSON.stringify(s.flags) !== JSON.stringify(trials[i].flags));
  if (other >= 0)
    throw new TesseraeError("usage", `holds another sweep: its ${saved[other].name} has other flags`, {
      where: folder,
      hint: "Choose another --output",
    });
  return trials.map((trial, i) => {
    const { status = "waiting", error } = saved[i] ?? {};
    return { ...trial, status, ...(error !== undefined && { error }) };
  });
}

async function readState(folder: string): Promise<TrialState[]> {
  const where = join(folder, STATE_FILE);
  let text: string;
  try {
    text = await readFile(where, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw ioError("cannot read the sweep", error, { where });
  }
  try {
    const { format, trials } = JSON.parse(text);
    if (format === FORMAT && Array.isArray(trials)) return trials;
  } catch {}
  throw new TesseraeError("data", "is not a sweep's state", { where, hint: "Choose another --output" });
}

export const writeState = (folder: string, trials: readonly TrialState[]): Promise<void> =>
  writeFileAtomic(join(folder, STATE_FILE), `${JSON.stringify({ format: FORMAT, trials }, null, 1)}\n`);

export interface Place extends TrialState {
  /** From 1; finished trials alone have one. */
  readonly rank?: number;
  readonly figures?: RunFigures;
}

/** Finished trials, best first by the metric of their runs (of equals the earlier); then the others. */
export async function leaderboard(folder: string, trials: readonly TrialState[]): Promise<Place[]> {
  const finished = trials.filter(({ status }) => status === "finished");
  const runs = await readRuns(finished.map(({ name }) => join(folder, name)));
  const scored = finished.map((trial, i) => {
    const { metric } = figuresOf(runs[i]);
    const value = bestEpoch(runs[i])?.[metric];
    const score = value === undefined ? Number.NEGATIVE_INFINITY : metric === "loss" ? -value : value;
    return { trial, figures: figuresOf(runs[i]), score };
  });
  const placed = scored
    .sort((a, b) => b.score - a.score)
    .map(({ trial, figures }, i): Place => ({ ...trial, figures, rank: i + 1 }));
  return [...placed, ...trials.filter(({ status }) => status !== "finished")];
}

export function leaderboardCsv(places: readonly Place[]): string {
  const flags = [...new Set(places.flatMap(({ values }) => Object.keys(values)))];
  const rows = places.map(({ rank, name, status, values, figures, error }) => [
    ...[rank ?? "", name, status, ...flags.map((flag) => String(values[flag] ?? ""))],
    ...[figures?.best?.top1 ?? "", figures?.best?.loss ?? "", figures?.best?.epoch ?? ""],
    ...[figures?.last?.trainLoss ?? "", figures?.parameters ?? "", figures?.seconds?.toFixed(1) ?? "", error ?? ""],
  ]);
  const header = [
    "rank",
    "trial",
    "status",
    ...flags,
    "top1",
    "loss",
    "epoch",
    "train_loss",
    "parameters",
    "seconds",
    "error",
  ];
  return [header, ...rows].map(csvLine).join("");
}
