import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EpochSummary } from "../../train/fit.ts";
import { writeFileAtomic } from "../atomic-write.ts";
import type { Recorder } from "./recorder.ts";

export const SUMMARY_FILE = "summary.csv";

type Row = Readonly<Record<string, number | string | undefined>>;

/** timm's columns; those of the averaged weights only where they are kept. */
const COLUMNS = ["epoch", "train_loss", "eval_loss", "eval_top1", "eval_top5"] as const;
const AVERAGE_COLUMNS = ["eval_loss_ema", "eval_top1_ema", "eval_top5_ema"] as const;

const rowOf = ({ epoch, trainLoss, lr, val, valAverage }: EpochSummary): Row => ({
  epoch,
  train_loss: trainLoss,
  eval_loss: val?.loss,
  eval_top1: val?.top1,
  eval_top5: val?.top5,
  eval_loss_ema: valAverage?.loss,
  eval_top1_ema: valAverage?.top1,
  eval_top5_ema: valAverage?.top5,
  lr,
});

/** The rows of a run's summary.csv, cells as they are written; none where there is no such file. */
export const readSummary = async (run: string): Promise<Readonly<Record<string, string>>[]> =>
  parseSummary(await readFile(join(run, SUMMARY_FILE), "utf8").catch(() => ""));

/** The rows of a summary.csv's text. */
export function parseSummary(text: string): Readonly<Record<string, string>>[] {
  const [header = [], ...rows] = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(","));
  return rows.map((cells) => Object.fromEntries(header.map((name, c) => [name, cells[c] ?? ""])));
}

/**
 * summary.csv: a row an epoch, the whole file written anew each time so that it is never half a row. Keeps the rows of
 * a resumed run's `epochs` finished epochs.
 */
export async function openSummary(run: string, averaged: boolean, epochs: number): Promise<Recorder> {
  const path = join(run, SUMMARY_FILE);
  const columns = [...COLUMNS, ...(averaged ? AVERAGE_COLUMNS : []), "lr"];
  const rows: Row[] = epochs > 0 ? (await readSummary(run)).filter(({ epoch }) => Number(epoch) < epochs) : [];
  let writing: Promise<void> = Promise.resolve();
  const line = (row: Row): string => columns.map((name) => row[name] ?? "").join(",");
  return {
    event: (event) => {
      if (event.type !== "epoch") return;
      rows.push(rowOf(event.summary));
      const text = `${[columns.join(","), ...rows.map(line)].join("\n")}\n`;
      writing = writing.then(() => writeFileAtomic(path, text));
      writing.catch(() => {}); // reported by `flush`
    },
    flush: () => writing,
    close: () => writing.catch(() => {}),
  };
}
