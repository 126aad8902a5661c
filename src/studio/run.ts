/** What the studio's page shows of training runs: plain JSON. */

/** running: a process trains it; finished: all its epochs are done; stopped: it can go on. */
export type RunState = "running" | "finished" | "stopped";

/** Figures of one epoch; the averages' where they were evaluated. Losses are means, top-1 and top-5 percent. */
export interface EpochPoint {
  /** From 0. */
  readonly epoch: number;
  /** Updates done at its end, where the journal tells. */
  readonly step?: number;
  readonly trainLoss?: number;
  readonly loss?: number;
  readonly top1?: number;
  readonly top5?: number;
  readonly lr?: number;
}

/** A line of the list of runs. */
export interface RunEntry {
  /** What the address of the page calls it. */
  readonly id: string;
  /** The folder's name. */
  readonly name: string;
  /** Name in the table of models. */
  readonly model: string;
  readonly parameters?: number;
  readonly data: string;
  readonly classes: number;
  readonly state: RunState;
  /** Epochs done, and planned. */
  readonly epochs: number;
  readonly planned: number;
  /** Which figure decides the best epoch. */
  readonly metric: "top1" | "top5" | "loss";
  readonly best?: EpochPoint;
  readonly last?: EpochPoint;
  /** When it was written to last, milliseconds since 1970. */
  readonly changed: number;
  /** Whether it holds weights that can be asked. */
  readonly hasModel: boolean;
}

/** A step, or the mean of some neighbours. */
export interface StepPoint {
  /** Updates done. */
  readonly step: number;
  readonly loss: number;
  readonly lr?: number;
  readonly gradNorm?: number;
  readonly imagesPerSecond?: number;
}

/** Curves of a run, whole or what came since. */
export interface RunCurves {
  /** True: all there is; false: to be added to what is known. */
  readonly whole: boolean;
  readonly steps: readonly StepPoint[];
  readonly epochs: readonly EpochPoint[];
}

/** How well one class is told; shares are in percent. */
export interface ClassRow {
  readonly name: string;
  readonly images: number;
  readonly accuracy?: number;
  readonly precision?: number;
  readonly f1?: number;
  readonly mistakenFor?: string;
  readonly mistakenImages?: number;
}

/** A named list of facts, such as the settings that are not the defaults. */
export interface FactGroup {
  readonly title: string;
  readonly facts: readonly (readonly [name: string, value: string])[];
}

/** What the page of one run shows beside its curves. */
export interface RunDetails {
  readonly entry: RunEntry;
  readonly facts: readonly FactGroup[];
  /** Empty until the run has measured them, at its end. */
  readonly classes: readonly ClassRow[];
}

/** A setting that is not the same in all runs. */
export interface RunDifference {
  readonly name: string;
  /** A value for each run; "-" where it has none. */
  readonly values: readonly string[];
}
