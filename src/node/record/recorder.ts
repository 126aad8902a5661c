import type { FitEvent } from "../../train/fit.ts";

/** Where a run begins or goes on: updates and epochs that are done. */
export interface Position {
  readonly step: number;
  readonly epoch: number;
}

/** What recorders take: what happens in a run, and what is made of it at its end. */
export type RunEvent =
  | FitEvent
  /** A picture of the finished run, PNG. */
  | { type: "picture"; tag: string; png: Uint8Array; width: number; height: number };

/** When an event happened. */
export interface Moment {
  /** Updates done by then. */
  readonly step: number;
  /** How long the step took, of events that are steps; unknown for the first of an epoch. */
  readonly seconds?: number;
}

/** One of the files that a run leaves, written as the run goes. */
export interface Recorder {
  /** Notes an event; the file follows. */
  event(event: RunEvent, at: Moment): void;
  /** Resolves when all that was noted is on the disk, for good. Throws TesseraeError("io"). */
  flush(): Promise<void>;
  /** Writes what is left and closes the file. */
  close(): Promise<void>;
}
