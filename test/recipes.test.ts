import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readConfig } from "../src/cli/config.ts";
import { type Flags, readExperiments, runsOf, SCALES } from "../src/cli/experiment/recipe.ts";
import { AS_TRAINED, figureOf } from "../src/cli/experiment/report.ts";
import { fingerprintOf, type RunResult, readResults } from "../src/cli/experiment/results.ts";
import { addTrainFlags, mergeFlags } from "../src/cli/train-flags.ts";
import { createModel } from "../src/models/index.ts";
import { drawChart } from "../src/node/chart.ts";
import { settle } from "../src/node/settings/index.ts";

const RECIPES = fileURLToPath(new URL("../recipes/", import.meta.url));
const command = addTrainFlags(new Command("train"));
let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "tesserae-recipes-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

/** Reads flags as `tesserae train --config` does, up to the model. */
async function accepts(file: string): Promise<void> {
  const { config: _, ...flags } = mergeFlags({}, await readConfig(file, command));
  const settings = settle(flags);
  createModel(settings.model, {
    ...settings.modelOptions,
    img_size: settings.imgSize ?? settings.modelOptions.img_size,
    num_classes: 10,
  });
}

describe("recipes", () => {
  const files = readdirSync(RECIPES, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".yaml") && !file.startsWith("experiments"),
  );
  it.each(files)("%s is a config of train", (file) => accepts(join(RECIPES, file)));
});

const experiments = await readExperiments(join(RECIPES, "experiments"));

describe.each([...experiments])("experiment %s", (name, experiment) => {
  it.each(SCALES)("plans runs that train takes, each its own, %s", async (scale) => {
    const runs = runsOf(experiment.plans[scale]);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
    const kinds = new Map<string, Flags>(
      runs.map(({ flags: { seed: _, ...flags } }) => [JSON.stringify(flags), flags]),
    );
    for (const [i, flags] of [...kinds.values()].entries()) {
      const file = join(scratch, `${name}-${scale}-${i}.json`);
      await writeFile(file, JSON.stringify(flags));
      await accepts(file);
    }
  });

  it("draws what its results will be", async () => {
    const made = runsOf(experiment.plans.small).map(
      (run, i) =>
        ({
          ...run,
          ...{ scale: "small", fingerprint: fingerprintOf(run), top1: 50 + i, images: 500, imagesSeen: 1000 },
          ...{ gmacs: 0.01, parameters: 1000, seconds: 10 + i, cpuSeconds: 5 + i, peakMemoryMiB: 300 + i },
          evaluations: Object.fromEntries(Object.keys(run.evaluate).map((e) => [e, 40 + i])),
        }) as unknown as RunResult,
    );
    const svg = await drawChart(figureOf(experiment, made));
    for (const value of Object.keys(Object.values(experiment.plans.small.axes)[0])) expect(svg).toContain(value);
    expect(svg).not.toContain("undefined");
    expect(svg).not.toContain("NaN");
  });

  it("keeps results of runs that it plans", async () => {
    const results = await readResults(join(RECIPES, "results", `${name}.json`));
    for (const { scale, id, seed, top1, evaluations } of results) {
      const planned = runsOf({ ...experiment.plans[scale], seeds: [seed] }).map((run) => run.id);
      expect(planned).toContain(id);
      for (const percent of [top1, ...Object.values(evaluations)]) expect(percent >= 0 && percent <= 100).toBe(true);
    }
    expect(AS_TRAINED in experiment.plans.small.evaluate).toBe(false);
  });
});
