import { useEffect, useState } from "preact/hooks";
import type { RunEntry } from "../../../src/studio/run.ts";
import { joined, type Known, NOTHING } from "../charts/series.ts";
import type { RunSource } from "../run-source.ts";
import { messageOf } from "./use-async.ts";

export interface LiveRuns {
  readonly runs?: readonly RunEntry[];
  /** Curves of the watched runs, by id. */
  readonly curves: ReadonlyMap<string, Known>;
  readonly error?: string;
}

/** The list of runs and the curves of some of them, kept up to date. One connection a view. */
export function useRuns(source: RunSource, watched: readonly string[] = []): LiveRuns {
  const [runs, setRuns] = useState<readonly RunEntry[]>();
  const [error, setError] = useState<string>();
  const [curves, setCurves] = useState<ReadonlyMap<string, Known>>(new Map());
  const key = watched.join("\n");
  useEffect(() => {
    let live = true;
    const list = () =>
      source.list().then(
        (found) => {
          if (!live) return;
          setRuns(found);
          setError(undefined);
        },
        (e) => live && setError(messageOf(e)),
      );
    void list();
    setCurves(new Map());
    const stop = source.watch(watched, {
      onRuns: () => void list(),
      onCurves: (id, news) => setCurves((before) => new Map(before).set(id, joined(before.get(id) ?? NOTHING, news))),
    });
    return () => {
      live = false;
      stop();
    };
  }, [source, key]);
  return { runs, curves, error };
}
