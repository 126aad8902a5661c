import { mkdir, readdir, readFile, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { TesseraeError } from "../errors.ts";
import { isCheckpointFolder } from "../train/checkpoint.ts";
import type { EpochSummary } from "../train/fit.ts";
import { writeFileAtomic } from "./atomic-write.ts";

export const CONFIG_FILE = "config.json";
export const SUMMARY_FILE = "summary.csv";
export const MODEL_FILE = "model.onnx";

/** timm's columns; those of the averaged weights only where they are kept. */
const COLUMNS = ["epoch", "train_loss", "eval_loss", "eval_top1", "eval_top5"] as const;
const AVERAGE_COLUMNS = ["eval_loss_ema", "eval_top1_ema", "eval_top5_ema"] as const;

function cells({ epoch, trainLoss, lr, val, valAverage }: EpochSummary, averaged: boolean): (number | undefined)[] {
  const average = averaged ? [valAverage?.loss, valAverage?.top1, valAverage?.top5] : [];
  return [epoch, trainLoss, val?.loss, val?.top1, val?.top5, ...average, lr];
}

/** The run's summary.csv: one row an epoch, the whole file written anew each time so that it is never half a row. */
export class SummaryFile {
  readonly #path: string;
  readonly #averaged: boolean;
  readonly #rows: string[];
  #writing: Promise<void> = Promise.resolve();

  private constructor(path: string, averaged: boolean, rows: string[]) {
    this.#path = path;
    this.#averaged = averaged;
    this.#rows = rows;
  }

  /** Keeps the rows of a resumed run's finished epochs. */
  static async open(run: string, averaged: boolean, epochsDone: number): Promise<SummaryFile> {
    const path = join(run, SUMMARY_FILE);
    const text = epochsDone > 0 ? await readFile(path, "utf8").catch(() => "") : "";
    const rows = text
      .split("\n")
      .slice(1)
      .filter((row) => row !== "" && Number(row.split(",")[0]) < epochsDone);
    return new SummaryFile(path, averaged, rows);
  }

  /** Adds an epoch's row; the file follows in its turn. */
  add(summary: EpochSummary): void {
    this.#rows.push(
      cells(summary, this.#averaged)
        .map((v) => v ?? "")
        .join(","),
    );
    const header = [...COLUMNS, ...(this.#averaged ? AVERAGE_COLUMNS : []), "lr"].join(",");
    const text = `${[header, ...this.#rows].join("\n")}\n`;
    this.#writing = this.#writing.then(() => writeFileAtomic(this.#path, text));
    this.#writing.catch(() => {}); // a failure is reported by `written`
  }

  /** Resolves when every row is on disk. */
  written(): Promise<void> {
    return this.#writing;
  }
}

export const writeConfig = (run: string, config: object): Promise<void> =>
  writeFileAtomic(join(run, CONFIG_FILE), `${JSON.stringify(config, null, 2)}\n`);

export const isRunFolder = (path: string): Promise<boolean> =>
  stat(join(path, CONFIG_FILE)).then(
    (info) => info.isFile(),
    () => false,
  );

/**
 * Makes a run's folder. What comes back undoes it, for a run that fails before its first checkpoint: files go where
 * the folder was empty, folders where they were made. Throws TesseraeError("io").
 */
export async function makeRunFolder(run: string): Promise<() => Promise<void>> {
  const made = await mkdir(run, { recursive: true }).catch((cause) => {
    const reason = cause.code === "EEXIST" || cause.code === "ENOTDIR" ? "a file is in the way" : cause.code;
    throw new TesseraeError("io", `the run folder cannot be made (${reason})`, { where: run, cause });
  });
  const empty = (await readdir(run)).length === 0;
  return async () => {
    try {
      if (!empty || (await readdir(run)).some(isCheckpointFolder)) return;
      for (const name of [CONFIG_FILE, SUMMARY_FILE]) await rm(join(run, name), { force: true });
      if (made === undefined) return;
      const first = resolve(made);
      for (let folder = resolve(run); folder.length >= first.length; folder = dirname(folder)) await rmdir(folder);
    } catch {
      // Something else is there by now: it stays.
    }
  };
}
