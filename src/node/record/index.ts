import { Pace } from "../../train/pace.ts";
import { JOURNAL_FILE, openJournal } from "./journal.ts";
import type { Position, Recorder, RunEvent } from "./recorder.ts";
import { openSummary, SUMMARY_FILE } from "./summary.ts";
import { isEventFile, openTensorBoard } from "./tensorboard.ts";

export interface RecordOptions {
  /** Where the run goes on; what lies beyond is done again and leaves the records. */
  readonly from: Position;
  /** Whether averaged weights are evaluated too. */
  readonly averaged: boolean;
  /** Of the steps, every so manieth is recorded. */
  readonly interval: number;
}

export interface Records extends Omit<Recorder, "event"> {
  event(event: RunEvent): void;
}

export const isRecordFile = (name: string): boolean =>
  name === SUMMARY_FILE || name === JOURNAL_FILE || isEventFile(name);

/** All that a run writes as it goes: summary.csv, metrics.jsonl, TensorBoard's event files. */
export async function openRecords(run: string, { from, averaged, interval }: RecordOptions): Promise<Records> {
  const recorders = [
    await openSummary(run, averaged, from.epoch),
    await openJournal(run, from, interval),
    await openTensorBoard(run, from, interval),
  ];
  const pace = new Pace();
  let step = from.step;
  return {
    event: (event) => {
      const isStep = event.type === "step" || event.type === "bad-step";
      if (isStep) pace.step();
      if (event.type === "epoch") pace.pause();
      if (isStep || event.type === "rollback") step = event.step;
      for (const recorder of recorders) recorder.event(event, { step, seconds: isStep ? pace.latest : undefined });
    },
    flush: async () => void (await Promise.all(recorders.map((recorder) => recorder.flush()))),
    close: async () => void (await Promise.all(recorders.map((recorder) => recorder.close()))),
  };
}
