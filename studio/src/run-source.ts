import type { RunCurves, RunDetails, RunDifference, RunEntry } from "../../src/studio/run.ts";

/** Where the page has its runs from. */
export interface RunSource {
  list(): Promise<readonly RunEntry[]>;
  details(id: string): Promise<RunDetails>;
  /** What is not the same in runs. */
  differences(ids: readonly string[]): Promise<readonly RunDifference[]>;
  /** Calls back with each run's curves, and again when there is more, until the returned function is called. */
  watch(ids: readonly string[], onCurves: (id: string, curves: RunCurves) => void): () => void;
  /** Calls back when the list may have changed, until the returned function is called. */
  onChange(callback: () => void): () => void;
}
