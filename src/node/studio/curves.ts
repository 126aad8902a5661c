import type { EpochPoint, RunCurves, StepPoint } from "../../studio/run.ts";
import { thinned } from "../../studio/thin.ts";
import { epochFigures } from "../compare.ts";
import { JOURNAL_FILE, type JournalRecord, recordsOf } from "../record/journal.ts";
import { parseSummary, SUMMARY_FILE } from "../record/summary.ts";
import { bytesInside, type Place, readInside, statInside } from "./folders.ts";

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) ? value : undefined;

/** A step of the journal; undefined for one whose loss is no number. */
function stepPoint({ step, loss, lr, gradNorm, imagesPerSecond }: JournalRecord): StepPoint | undefined {
  const value = numberOf(loss);
  if (value === undefined || numberOf(step) === undefined) return undefined;
  return {
    ...{ step, loss: value, lr: numberOf(lr) },
    ...{ gradNorm: numberOf(gradNorm), imagesPerSecond: numberOf(imagesPerSecond) },
  };
}

/** Bytes before the place of reading that must be as they were: a run that is resumed cuts its journal and writes on. */
const PROOF = 64;

/** Reads a run's journal and summary as they grow. */
export class CurveTail {
  readonly #place: Place;
  #offset = 0;
  #proof: Buffer = Buffer.alloc(0);
  #summary = "";
  /** Updates done at the end of an epoch. */
  readonly #ends = new Map<number, number>();

  constructor(place: Place) {
    this.#place = place;
  }

  /** What came since the last call; all of it at first, and where what was read before has changed. undefined: nothing. */
  async next(): Promise<RunCurves | undefined> {
    const first = this.#offset === 0 && this.#summary === "";
    const cut = !first && (await this.#wasCut());
    if (cut) this.#begin();
    const whole = first || cut;
    const steps = await this.#read();
    const text = (await readInside(this.#place, SUMMARY_FILE)) ?? "";
    const fresh = text !== this.#summary;
    this.#summary = text;
    if (!whole && steps.length === 0 && !fresh) return undefined;
    return { whole, steps: whole ? thinned(steps) : steps, epochs: this.#epochs(text) };
  }

  #begin(): void {
    this.#offset = 0;
    this.#proof = Buffer.alloc(0);
    this.#ends.clear();
  }

  async #wasCut(): Promise<boolean> {
    const info = await statInside(this.#place, JOURNAL_FILE);
    if ((info?.size ?? 0) < this.#offset) return true;
    const start = this.#offset - this.#proof.length;
    const now = await bytesInside(this.#place, JOURNAL_FILE, start);
    return !(now ?? Buffer.alloc(0)).subarray(0, this.#proof.length).equals(this.#proof);
  }

  async #read(): Promise<StepPoint[]> {
    const steps: StepPoint[] = [];
    for (;;) {
      const bytes = await bytesInside(this.#place, JOURNAL_FILE, this.#offset);
      let read = 0;
      for (const { record, end } of recordsOf(bytes ?? Buffer.alloc(0))) {
        read = end;
        if (record.type === "epoch") this.#ends.set(record.epoch, record.step);
        const point = record.type === "step" ? stepPoint(record) : undefined;
        if (point) steps.push(point);
      }
      if (read === 0 || !bytes) return steps;
      this.#offset += read;
      this.#proof = Buffer.from(bytes.subarray(Math.max(0, read - PROOF), read));
    }
  }

  #epochs(text: string): EpochPoint[] {
    return epochFigures(parseSummary(text)).map((e) => ({ ...e, step: this.#ends.get(e.epoch) }));
  }
}
