import { join } from "node:path";
import { AppendFile, bytesOf, cut } from "./append-file.ts";
import type { Moment, Position, Recorder, RunEvent } from "./recorder.ts";

export const JOURNAL_FILE = "metrics.jsonl";

/** A line of metrics.jsonl. `step` is the number of updates done, `epoch` counts from 0. */
export interface JournalRecord {
  readonly type: "step" | "epoch" | "bad-step" | "rollback" | "save";
  readonly step: number;
  readonly epoch: number;
  /** When, ISO 8601. */
  readonly time: string;
  readonly [key: string]: unknown;
}

/** Fields that tell of time: they alone differ between a run that was interrupted and one that was not. */
export const TIMING: readonly string[] = ["time", "seconds", "imagesPerSecond", "rss"];

/** Whether a record is of what a run that goes on from `at` has behind it. */
const isBehind = ({ type, step, epoch }: JournalRecord, at: Position): boolean =>
  step <= at.step && (type !== "epoch" || epoch < at.epoch);

/** JSON has no NaN and no infinity: they are text, as in protobuf's JSON. */
const encode = (record: object): Uint8Array =>
  new TextEncoder().encode(
    `${JSON.stringify(record, (_, v) => (typeof v === "number" && !Number.isFinite(v) ? String(v) : v))}\n`,
  );

/** The records of a journal's bytes with where each ends, up to the first line that is none. */
export function* recordsOf(bytes: Buffer): Generator<{ record: JournalRecord; end: number }> {
  for (let at = 0, end: number; (end = bytes.indexOf(10, at)) >= 0; at = end + 1) {
    let record: unknown;
    try {
      record = JSON.parse(bytes.toString("utf8", at, end));
    } catch {
      return;
    }
    if (typeof record !== "object" || record === null) return;
    yield { record: record as JournalRecord, end: end + 1 };
  }
}

/** What a run's metrics.jsonl holds; a last line that is half written is left out. */
export const readJournal = async (run: string): Promise<JournalRecord[]> =>
  [...recordsOf(await bytesOf(join(run, JOURNAL_FILE)))].map(({ record }) => record);

/** What the journal says of an event; undefined for those it leaves out. Of the steps, every `interval`th is there. */
function factsOf(event: RunEvent, { step, seconds }: Moment, interval: number): object | undefined {
  if (event.type === "step") {
    if (step % interval !== 0) return undefined;
    const { type, epoch, batch, loss, gradNorm, lr, images } = event;
    return { type, step, epoch, batch, loss, gradNorm, lr, imagesPerSecond: seconds && images / seconds };
  }
  if (event.type === "epoch") {
    const { epoch, ...rest } = event.summary;
    return { type: event.type, step, epoch, ...rest, rss: process.memoryUsage.rss() };
  }
  if (event.type === "save" && event.planned) {
    const { type, epoch, batch, metric } = event;
    return { type, step, epoch, batch, metric };
  }
  return event.type === "bad-step" || event.type === "rollback" ? event : undefined;
}

/** Cuts metrics.jsonl back to `from`, and goes on there: an object a line for each event. */
export async function openJournal(run: string, from: Position, interval: number): Promise<Recorder> {
  const path = join(run, JOURNAL_FILE);
  const bytes = await bytesOf(path);
  let kept = 0;
  for (const { record, end } of recordsOf(bytes)) {
    if (!isBehind(record, from)) break;
    kept = end;
  }
  if (kept < bytes.byteLength) await cut(path, kept);
  const file = new AppendFile(path);
  return {
    event: (event, at) => {
      const facts = factsOf(event, at, interval);
      if (facts) file.add(encode({ ...facts, time: new Date().toISOString() }));
    },
    flush: () => file.flush(),
    close: () => file.close(),
  };
}
