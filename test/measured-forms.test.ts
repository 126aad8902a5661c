import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createModel } from "../src/index.ts";
import { type Machine, machineOf } from "../src/node/machine.ts";
import { writeSynth } from "../src/node/synth.ts";
import { train } from "../src/node/train.ts";
import type { TrainOptions } from "../src/node/train-options.ts";
import { FormStore } from "../src/node/tuning/store.ts";
import { tuneModel } from "../src/node/tuning/tune-model.ts";
import { endOf } from "./unbreakable/runs.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-forms-"));
const { TESSERAE_CACHE } = process.env;
let runs = 0;
beforeAll(() => writeSynth(join(folder, "data"), { count: 40, seed: 3, size: 16 }));
beforeEach(() => {
  process.env.TESSERAE_CACHE = join(folder, `cache-${runs}`);
});
afterAll(() => {
  process.env.TESSERAE_CACHE = TESSERAE_CACHE;
  rmSync(folder, { recursive: true, force: true });
});

/** A run of a network whose 1x1 convolution's weight gradient has several forms. */
async function run(more: Partial<TrainOptions> = {}): Promise<{ output: string; machine: Machine }> {
  const output = more.output ?? join(folder, `run-${runs++}`);
  const given = { threads: 1, batchSize: 8, epochs: 1, sched: "constant", workers: 0, report: false, output } as const;
  const modelOptions = { img_size: 16, dim: 16, depth: 1, kernel_size: 3, patch_size: 4 };
  await train({ data: join(folder, "data"), model: "convmixer", modelOptions, opt: "sgd", ...given, ...more });
  return { output, machine: JSON.parse(readFileSync(join(output, "config.json"), "utf8")).machine };
}

const storeHere = async (threads = 1) => new FormStore((await machineOf({ threads })).machine);

const measured = { form: "productPerTap", ms: { rule: 2, productPerTap: 1 } };

/** That gradient at batch 8. */
const POINTWISE = "ConvWeightGrad 8x16x4x4 8x16x4x4 dilations 1,1 group 1 kernel_shape 1,1 pads 0,0,0,0 strides 1,1";

describe("a run", () => {
  it("takes the forms that were measured here, records them, and ends elsewhere in the last bits", async () => {
    const plain = await run();
    expect(plain.machine.forms).toEqual({});
    await (await storeHere()).add(POINTWISE, measured);
    const tuned = await run();
    expect(tuned.machine.forms).toEqual({ [POINTWISE]: "productPerTap" });
    const deterministic = await run({ deterministic: true });
    expect(deterministic.machine.forms).toEqual({});
    const [a, b, c] = [plain, tuned, deterministic].map(({ output }) => endOf(output));
    expect(b).not.toEqual(a);
    expect(c).toEqual(a);
  });

  it("that goes on keeps its forms, whatever was measured meanwhile", async () => {
    const store = await storeHere();
    await store.add(POINTWISE, measured);
    const whole = await run({ epochs: 2 });
    const { output } = await run();
    rmSync(store.path);
    const resumed = await run({ output, epochs: 2, resume: "auto" });
    expect(resumed.machine.forms).toEqual({ [POINTWISE]: "productPerTap" });
    expect(endOf(output)).toEqual(endOf(whole.output));
  });

  it("that began by the rule goes on by it", async () => {
    const { output } = await run();
    await (await storeHere()).add(POINTWISE, measured);
    expect((await run({ output, epochs: 2, resume: "auto" })).machine.forms).toEqual({});
  });
});

describe("tuning a model", () => {
  it("measures what is heavy once, on the runtime itself", async () => {
    const model = createModel("resnet18", { img_size: 64, num_classes: 10 });
    const first = await tuneModel(model, { batchSize: 8, threads: 1 });
    expect(first.measured.size).toBeGreaterThan(0);
    for (const { form, ms } of first.measured.values()) {
      expect(ms.rule).toBeGreaterThan(0);
      if (form !== null) expect(ms[form]).toBeLessThan(ms.rule);
    }
    const second = await tuneModel(model, { batchSize: 8, threads: 1 });
    expect(second.measured.size).toBe(0);
    expect(second.known).toBe(first.measured.size);
    expect([...(await (await storeHere()).read()).keys()].sort()).toEqual([...first.measured.keys()].sort());
  });
});
