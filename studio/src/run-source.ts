import type { RunCurves, RunDetails, RunDifference, RunEntry } from "../../src/studio/run.ts";

/** Who is told what happens to runs. */
export interface Watcher {
  /** Curves of a watched run: whole at first, then what is new. */
  onCurves(id: string, curves: RunCurves): void;
  /** The list of runs may have changed. */
  onRuns(): void;
}

/** Where the page has its runs from. */
export interface RunSource {
  list(): Promise<readonly RunEntry[]>;
  details(id: string): Promise<RunDetails>;
  /** What is not the same in runs. */
  differences(ids: readonly string[]): Promise<readonly RunDifference[]>;
  /** Tells of runs, and of the curves of those named, until the returned function is called. */
  watch(ids: readonly string[], watcher: Watcher): () => void;
}
