import pc from "picocolors";
import { clock } from "./output.ts";

/** Where a run stands, for the eye. */
export interface TrainView {
  /** From 1. */
  readonly epoch: number;
  readonly epochs: number;
  readonly batch: number;
  readonly batches: number;
  readonly loss: number;
  readonly lr: number;
  /** Of recent steps, oldest first. */
  readonly losses: readonly number[];
  readonly imagesPerSecond?: number;
  readonly stepsPerSecond?: number;
  /** Seconds to the end of the run. */
  readonly left?: number;
  /** Bytes of memory, now and at most so far. */
  readonly rss: number;
  readonly peak: number;
}

const LONGEST = 24;
const SHORTEST = 6;
const LEVELS = "▁▂▃▄▅▆▇█";

/** A bar with what stands before and behind it, as long as `columns` have room; none where that is too little. */
export function barred(before: string, part: number, behind: string, columns: number): string {
  const width = Math.min(LONGEST, columns - before.length - behind.length - 3);
  if (width < SHORTEST) return `${before} ${behind}`.slice(0, columns);
  const full = Math.round(width * Math.min(1, part));
  return `${before} ${pc.cyan("━".repeat(full))}${pc.dim("─".repeat(width - full))} ${behind}`;
}

/** A curve of blocks, `width` wide at most: means of neighbours, the largest highest. */
export function sparkline(values: readonly number[], width: number): string {
  const finite = values.filter(Number.isFinite);
  const n = Math.min(width, finite.length);
  if (n < 2) return "";
  const means = Array.from({ length: n }, (_, i) => {
    const some = finite.slice(Math.floor((i * finite.length) / n), Math.floor(((i + 1) * finite.length) / n));
    return some.reduce((a, b) => a + b, 0) / some.length;
  });
  const [low, high] = [Math.min(...means), Math.max(...means)];
  return means
    .map((v) => LEVELS[high > low ? Math.round(((v - low) / (high - low)) * (LEVELS.length - 1)) : 0])
    .join("");
}

export const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** 0.53, 12.3, 1,234: about three digits. */
const rate = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value >= 1 ? 3 : 2);

/** Two lines that keep their places from step to step; no line is longer than `columns`. */
export function viewLines(v: TrainView, columns: number): string[] {
  const pace = v.stepsPerSecond === undefined ? "" : `  ${rate(v.stepsPerSecond)} steps/s`;
  const left = v.left === undefined ? "" : `  eta ${clock(v.left)}`;
  const place = `${String(v.batch).padStart(String(v.batches).length)}/${v.batches}`;
  const first = barred(`epoch ${v.epoch}/${v.epochs}`, v.batch / v.batches, `${place}${pace}${left}`, columns - 1);
  const images = v.imagesPerSecond === undefined ? "" : `  ${rate(v.imagesPerSecond).padStart(5)} images/s`;
  const values = `  lr ${v.lr.toExponential(2)}${images}`;
  const memory = `  ${gib(v.rss)} (peak ${(v.peak / 2 ** 30).toFixed(1)})`;
  const loss = `loss ${v.loss.toFixed(4)}`;
  const taken = loss.length + values.length + memory.length;
  if (taken >= columns) return [first, `${loss}${values}`.slice(0, columns - 1)];
  const room = Math.min(LONGEST, columns - 2 - taken);
  const curve = room >= SHORTEST ? ` ${pc.cyan(sparkline(v.losses, room).padEnd(room))}` : "";
  return [first, `${loss}${curve}${values}${memory}`];
}
