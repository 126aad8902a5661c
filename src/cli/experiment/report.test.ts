import { describe, expect, it } from "vitest";
import { lastRow } from "./drive.ts";
import type { Experiment } from "./recipe.ts";
import { meanAndDeviation, rowsOf, tableOf, withTable } from "./report.ts";
import { currentResults, fingerprintOf, type RunResult } from "./results.ts";

const result = (
  values: Record<string, string>,
  seed: number,
  top1: number,
  more: Partial<RunResult> = {},
): RunResult => ({
  ...{ scale: "small", id: `${Object.values(values).join("_")}_seed${seed}`, values, seed, fingerprint: "f" },
  ...{ parameters: 1234, gmacs: 0.002, images: 100, imagesSeen: 1000, trainLoss: 1, top1, top5: 90, valLoss: 1 },
  ...{ evaluations: {}, versions: {}, processors: 2, seconds: 20, cpuSeconds: 10, peakMemoryMiB: 300, attempts: 1 },
  ...more,
});

const RESULTS = [
  result({ model: "A", data: "1 %" }, 1, 30),
  result({ model: "A", data: "1 %" }, 2, 34),
  result({ model: "A", data: "all" }, 1, 60),
  result({ model: "B", data: "1 %" }, 1, 20),
];

describe("the table of an experiment", () => {
  it("has a row for each combination, mean and deviation over seeds, and a column of top-1 for each value", () => {
    expect(tableOf({ columns: "data" } as Experiment, RESULTS).split("\n")).toEqual([
      "| model | 1 %, top-1 % | all, top-1 % | parameters | MMACs | processor s a run | peak MiB | seeds |",
      "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
      "| A | 32.0 ± 2.8 | 60.0 | 1,234 | 2.0 | 10 | 300 | 2 |",
      "| B | 20.0 |  | 1,234 | 2.0 | 10 | 300 | 1 |",
    ]);
  });

  it("leaves time and memory out that another device took", () => {
    const onGpu = result({ model: "A" }, 2, 31, { device: "GPU", cpuSeconds: 1000, peakMemoryMiB: 9000 });
    const rowOf = (...results: RunResult[]) => tableOf({} as Experiment, results).split("\n")[2];
    expect(rowOf(result({ model: "A" }, 1, 30), onGpu)).toBe("| A | 30.5 ± 0.7 | 1,234 | 2.0 | 10 | 300 | 2 |");
    expect(rowOf(onGpu)).toBe("| A | 31.0 | 1,234 | 2.0 |  |  | 1 |");
  });

  it("goes into its own place in a page", () => {
    const page =
      "a\n<!-- experiment: x -->\nold\n<!-- /experiment -->\n<!-- experiment: xy -->\n<!-- /experiment -->\n";
    expect(withTable(page, "x", "| $1 |")).toBe(page.replace("old", "| $$1 |"));
    expect(withTable(page, "z", "t")).toBe(page);
  });

  it("gives one seed no deviation", () => {
    expect(meanAndDeviation([])).toBe("");
    expect(meanAndDeviation([41.26])).toBe("41.3");
    expect(meanAndDeviation([40, 42])).toBe("41.0 ± 1.4");
  });
});

it("figures get a row for each evaluation of each run", () => {
  const rows = rowsOf([result({ model: "A" }, 3, 50, { evaluations: { moved: 40 } })]);
  expect(rows.map(({ evaluation, top1 }) => [evaluation, top1])).toEqual([
    ["as trained", 50],
    ["moved", 40],
  ]);
  expect(rows[1]).toMatchObject({ model: "A", seed: 3, mmacs: 2, trainingTmacs: 0.002 });
});

it("a result of other flags is out of date", () => {
  const run = { id: "A_seed1", values: { model: "A" }, seed: 1, flags: { lr: 1 }, evaluate: {} };
  const done = result({ model: "A" }, 1, 50, { id: run.id, fingerprint: fingerprintOf(run) });
  expect(currentResults([run], "small", [done])).toEqual([done]);
  expect(currentResults([{ ...run, flags: { lr: 2 } }], "small", [done])).toEqual([]);
  expect(currentResults([run], "full", [done])).toEqual([]);
});

it("a summary without a measure in its last row is refused", () => {
  expect(lastRow("epoch,eval_top1\n0,\n1,55.5\n")("eval_top1")).toBe(55.5);
  expect(() => lastRow("epoch,eval_top1\n0,50\n1,\n")("eval_top1")).toThrow(/no eval_top1/);
});
