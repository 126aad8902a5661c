import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { train } from "../src/node/train.ts";
import { built } from "./cli/cli.ts";
import { type ImageSets, makeImageSets, VIT } from "./unbreakable/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-averages-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let sets: ImageSets;
beforeAll(async () => {
  built();
  sets = await makeImageSets(folder);
});

const epochs = async (modelEma: number) =>
  (
    await train({
      ...VIT,
      modelEma,
      data: sets.folder,
      epochs: 2,
      report: false,
      output: join(folder, `ema-${modelEma}`),
    })
  ).epochs;

it("averages that forget at once are measured as the live weights are", async () => {
  for (const { val, valAverage } of await epochs(1e-9)) {
    expect(val?.loss).toBeGreaterThan(0);
    expect(valAverage?.loss).toBeCloseTo(val?.loss ?? NaN, 6);
  }
});

it("slow averages are measured beside the live weights, and stay behind them", async () => {
  const [first, last] = await epochs(0.9999);
  const moved = (a?: { loss: number }, b?: { loss: number }) => Math.abs((a?.loss ?? NaN) - (b?.loss ?? NaN));
  expect(moved(first.valAverage, last.valAverage)).toBeGreaterThan(0);
  expect(moved(first.valAverage, last.valAverage)).toBeLessThan(moved(first.val, last.val) / 3);
});
