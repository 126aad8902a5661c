import { createLogUpdate } from "log-update";
import pc from "picocolors";
import type { TrainEvent } from "../node/train-options.ts";
import type { EpochSummary } from "../train/fit.ts";
import { Pace } from "../train/pace.ts";
import { clock, note, percent, plural, short } from "./output.ts";
import { barred, gib, type TrainView, viewLines } from "./train-view.ts";

type StepEvent = TrainEvent & { type: "step" };

/** Redraws closer together than this are left out, in milliseconds. */
const FRAME = 80;
/** Losses that the curve of the live view goes back to. */
const REMEMBERED = 240;

const columnsOf = (): number => process.stderr.columns || 80;

const counter = (what: string, done: number, total: number): string =>
  barred(what, done / total, `${done}/${total}`, columnsOf());

/** Lines that are drawn over and over at the bottom of the terminal. */
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

  const losses: number[] = [];

  const viewOf = (e: StepEvent): TrainView => {
    const seconds = pace.secondsPerStep;
    const left = total * e.batches - (e.epoch * e.batches + e.batch);
    return {
      epoch: e.epoch + 1,
      epochs: total,
      ...{ batch: e.batch, batches: e.batches, loss: e.loss, lr: e.lr, losses },
      ...(seconds && { imagesPerSecond: e.images / seconds, stepsPerSecond: 1 / seconds, left: left * seconds }),
      rss: process.memoryUsage.rss(),
      peak: process.resourceUsage().maxRSS * 1024,
    };
  };

  const step = (e: StepEvent): void => {
    pace.step();
    losses.push(e.loss);
    if (losses.length > REMEMBERED) losses.shift();
    if (live) live.draw(() => viewLines(viewOf(e), columnsOf()).join("\n"));
    else if (e.step % logInterval === 0) note(plainLine(viewOf(e)));
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

/** Where there is no terminal. */
function plainLine(v: TrainView): string {
  const rate =
    v.left === undefined ? "" : `  ${(v.imagesPerSecond as number).toFixed(0)} images/s  eta ${clock(v.left)}`;
  const place = `epoch ${v.epoch}/${v.epochs}  batch ${v.batch}/${v.batches}`;
  return `${place}  loss ${v.loss.toFixed(4)}  lr ${v.lr.toExponential(2)}${rate}  memory ${gib(v.rss)}`;
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
