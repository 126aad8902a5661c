import { describe, expect, it } from "vitest";
import { overlay, parseExperiment, runsOf } from "./recipe.ts";

const TEXT = `
title: A title
paper: A paper
argument: An argument
flags: { lr: 1e-3, model-kwargs: { depth: 4, dim: 8 }, aa: rand-m9 }
axes:
  model:
    Small one: { model: a }
    Large: { model: b, model-kwargs: { depth: 9 } }
  data: { 1 %: { train-fraction: 0.01 }, all: { aa: null } }
seeds: [1, 2]
evaluate: { moved: { translate: 2 } }
full: { seeds: [7], flags: { lr: 1 }, axes: { model: { Large: null } } }
figure: { mark: bar }
columns: data
`;

describe("an experiment's file", () => {
  it("plans every combination of its axes, seed by seed, later flags upon earlier ones", () => {
    const { plans } = parseExperiment("name", TEXT);
    const runs = runsOf(plans.small);
    expect(runs.map(({ id }) => id)).toEqual(
      [1, 2].flatMap((seed) =>
        ["small-one_1pc", "small-one_all", "large_1pc", "large_all"].map((run) => `${run}_seed${seed}`),
      ),
    );
    expect(runs[2]).toMatchObject({
      values: { model: "Large", data: "1 %" },
      seed: 1,
      flags: { lr: 1e-3, model: "b", "model-kwargs": { depth: 9, dim: 8 }, "train-fraction": 0.01, seed: 1 },
      evaluate: { moved: { translate: 2 } },
    });
    expect(runs[2].flags.aa).toBe("rand-m9");
    expect("aa" in runs[3].flags).toBe(false);
  });

  it("at full size is what its small plan is, but for what it says", () => {
    const runs = runsOf(parseExperiment("name", TEXT).plans.full);
    expect(runs.map(({ id }) => id)).toEqual(["small-one_1pc_seed7", "small-one_all_seed7"]);
    expect(runs[0].flags).toMatchObject({ lr: 1, "model-kwargs": { depth: 4, dim: 8 } });
  });

  it.each([
    ["title: A title\n", "title: [1]\n", "title is not a text"],
    ["figure: { mark: bar }\n", "", "figure is not a Vega-Lite specification"],
    ["seeds: [1, 2]", "seeds: [1.5]", "seeds are not whole numbers"],
    ["columns: data", "columns: color", "columns is not one of its axes"],
    ["columns: data", "colums: data", "unknown key colums"],
    ["all: { aa: null }", "all: 3", "an axis is not values with their flags"],
    ["title: A title\n", "title: [\n", "is not YAML"],
  ])("is refused in one line where %j is %j", (good, bad, what) => {
    expect(() => parseExperiment("name", TEXT.replace(good, bad))).toThrow(new RegExp(`^name\\.yaml: .*${what}`));
  });
});

it("overlay merges objects, replaces lists, and takes away what is null", () => {
  const base = { a: { x: 1, y: [1, 2] }, b: 2 };
  expect(overlay(base, { a: { y: [3], z: { deep: 1 } }, b: null, c: 0 })).toEqual({
    a: { x: 1, y: [3], z: { deep: 1 } },
    c: 0,
  });
  expect(base).toEqual({ a: { x: 1, y: [1, 2] }, b: 2 });
});
