import { join } from "node:path";
import { beforeAll, expect, it } from "vitest";
import type { PlannedRun } from "../../src/cli/experiment/recipe.ts";
import { scratch, tesserae } from "./cli.ts";

const folder = scratch();
const shapes = join(folder, "shapes");
const run: PlannedRun = {
  id: "tiny_seed1",
  values: { model: "tiny" },
  seed: 1,
  flags: {
    ...{ "img-size": 16, crop: "pad", "batch-size": 8, lr: 2e-3, epochs: 4, threads: 1, seed: 1, "log-interval": 1 },
    "model-kwargs": { patch_size: 4, embed_dim: 16, depth: 2, num_heads: 2 },
  },
  evaluate: { moved: { translate: 3, threads: 1 } },
};

beforeAll(async () => {
  expect(await tesserae(["synth", shapes, "--count", "64", "--seed", "3", "--size", "16"])).toMatchObject({ code: 0 });
});

it("a run that was stopped goes on and gives the result of one that was not", async () => {
  const built = new URL("../../dist/cli/experiment/drive.js", import.meta.url).href;
  const { drive, Interrupted } = (await import(built)) as typeof import("../../src/cli/experiment/drive.ts");
  const go = (work: string, stopAt?: string) => {
    const stop = new AbortController();
    let said = "";
    const say = (text: string) => {
      said += text;
      if (stopAt !== undefined && said.includes(stopAt)) stop.abort();
    };
    const options = { data: shapes, scale: "small", python: "python3", signal: stop.signal, say } as const;
    return drive(run, { ...options, work: join(folder, work) });
  };
  const whole = await go("whole");
  await expect(go("stopped", "epoch 2/4  batch 2/6")).rejects.toBeInstanceOf(Interrupted);
  const resumed = await go("stopped");
  const same = ({ seconds: _, cpuSeconds: __, peakMemoryMiB: ___, attempts: ____, ...rest }: typeof whole) => rest;
  expect(same(resumed)).toEqual(same(whole));
  expect([whole.attempts, resumed.attempts]).toEqual([1, 2]);
  expect(whole.images).toBe(48);
  expect(whole.imagesSeen).toBe(192);
  expect(Math.min(whole.seconds, whole.cpuSeconds, whole.peakMemoryMiB)).toBeGreaterThan(0);
  expect(Object.keys(whole.evaluations)).toEqual(["moved"]);
  expect(whole.versions.node).toBe(process.versions.node);
});

it("says what a run died of", async () => {
  const built = new URL("../../dist/cli/experiment/drive.js", import.meta.url).href;
  const { drive } = (await import(built)) as typeof import("../../src/cli/experiment/drive.ts");
  const bad = { ...run, flags: { ...run.flags, model: "vit_tinny_patch16_224" } };
  const options = { scale: "small", python: "python3", signal: new AbortController().signal, say: () => {} } as const;
  await expect(drive(bad, { ...options, data: shapes, work: join(folder, "bad") })).rejects.toThrow(/unknown model/);
});
