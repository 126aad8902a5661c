import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { TrainEvent } from "../node/train-options.ts";
import type { EpochSummary } from "../train/fit.ts";
import { clock, note, percent, plural, short } from "./output.ts";

type StepEvent = TrainEvent & { type: "step" };

/** Redraws closer together than this are left out, in milliseconds. */
const FRAME = 80;
const LONGEST = 24;
const SHORTEST = 6;

/** A bar with what stands before and behind it, as long as the terminal has room; none where that is too little. */
function barred(before: string, part: number, behind: string): string {
  const room = (process.stderr.columns || 80) - before.length - behind.length - 3;
  const width = Math.min(LONGEST, room);
  if (width < SHORTEST) return `${before} ${behind}`;
  const full = Math.round(width * Math.min(1, part));
  return `${before} ${pc.cyan("━".repeat(full))}${pc.dim("─".repeat(width - full))} ${behind}`;
}

const counter = (what: string, done: number, total: number): string => barred(what, done / total, `${done}/${total}`);

/** A line that is drawn over and over at the bottom of the terminal. */
function liveLine(stream: NodeJS.WriteStream) {
  const update = createLogUpdate(stream);
  let drawn = 0;
  return {
    draw(text: () => string): void {
      const now = performance.now();
      if (now - drawn < FRAME) return;
      drawn = now;
      update(text());
    },
    /** A line that stays, above the live one. */
    keep: (text: string): void => {
      update.clear();
      note(text);
      drawn = 0;
    },
    close: (): void => {
      update.clear();
      update.done();
    },
  };
}

export interface TrainDisplay {
  event(event: TrainEvent): void;
  /** A line that stays. */
  note(line: string): void;
  close(): void;
}

/** Progress of a training run: a live line in a terminal; else a line every `logInterval` steps and every epoch. */
export function createTrainDisplay({ logInterval }: { logInterval: number }): TrainDisplay {
  const stream = process.stderr;
  const live = stream.isTTY ? liveLine(stream) : undefined;
  const keep = (line: string) => (live ? live.keep(line) : note(line));
  const pace = new Pace();
  let total = 0;

  const step = (e: StepEvent): void => {
    pace.add(e);
    const parts = () => {
      const left = total * e.batches - (e.epoch * e.batches + e.batch);
      const place = `epoch ${e.epoch + 1}/${total}`;
      const seconds = pace.secondsPerStep;
      const rate = seconds ? `  ${(e.images / seconds).toFixed(0)} images/s  eta ${clock(left * seconds)}` : "";
      const values = `loss ${e.loss.toFixed(4)}  lr ${e.lr.toExponential(2)}${rate}`;
      return { place, values, batch: `${e.batch}/${e.batches}` };
    };
    if (live) {
      live.draw(() => {
        const { place, values, batch } = parts();
        return barred(place, e.batch / e.batches, `${batch}  ${values}`);
      });
    } else if (e.step % logInterval === 0) {
      const { place, values, batch } = parts();
      note(`${place}  batch ${batch}  ${values}`);
    }
  };

  return {
    event(e) {
      if (e.type === "start") {
        total = e.epochs;
        keep(started(e));
        live?.draw(() => pc.dim("building the training step ..."));
      } else if (e.type === "step") step(e);
      else if (e.type === "evaluate") live?.draw(() => counter("evaluating", e.done, e.total));
      else if (e.type === "epoch") {
        pace.pause();
        keep(epochLine(e.summary, total));
      } else if (e.type === "note") keep(e.message);
      else if (e.type === "warning") {
        keep(`${pc.yellow("warning:")} ${e.message}`);
      }
    },
    note: keep,
    close: () => live?.close(),
  };
}

/** Seconds per step, the recent ones counting most; what lies between epochs does not count. */
class Pace {
  #last?: number;
  #seconds?: number;

  add({ batch }: StepEvent): void {
    const now = performance.now();
    if (this.#last !== undefined && batch > 1) {
      const seconds = (now - this.#last) / 1000;
      this.#seconds = this.#seconds === undefined ? seconds : 0.95 * this.#seconds + 0.05 * seconds;
    }
    this.#last = now;
  }

  pause(): void {
    this.#last = undefined;
  }

  /** Undefined until two steps in a row are done. */
  get secondsPerStep(): number | undefined {
    return this.#seconds;
  }
}

function started(e: TrainEvent & { type: "start" }): string {
  const images = `${plural(e.images, "image")}, ${e.valImages.toLocaleString("en")} held out, ${plural(e.classes, "class", "classes")}`;
  const from = e.epoch > 0 ? `, from epoch ${e.epoch + 1}` : "";
  return `${pc.bold(e.model)} (${short(e.parameters)} parameters) on ${images}; ${plural(e.epochs, "epoch")}${from} -> ${e.output}`;
}

export function epochLine(s: EpochSummary, epochs: number): string {
  const quality = s.val
    ? `  val top-1 ${pc.bold(percent(s.val.top1))}  top-5 ${percent(s.val.top5)}  loss ${s.val.loss.toFixed(4)}`
    : "";
  const average = s.valAverage ? `  averaged top-1 ${pc.bold(percent(s.valAverage.top1))}` : "";
  // Nothing was trained in an epoch that was stopped after its last step.
  const pace =
    s.imagesPerSecond > 0 ? `  ${pc.dim(`${clock(s.seconds)}, ${s.imagesPerSecond.toFixed(0)} images/s`)}` : "";
  return `epoch ${s.epoch + 1}/${epochs}  loss ${s.trainLoss.toFixed(4)}${quality}${average}${pace}`;
}

/** A counter on stderr while something runs; nothing where that is no terminal. */
export function createMeter(what: string): { show(done: number, total: number): void; close(): void } {
  const live = process.stderr.isTTY ? liveLine(process.stderr) : undefined;
  return {
    show: (done, total) => live?.draw(() => counter(what, done, total)),
    close: () => live?.close(),
  };
}
