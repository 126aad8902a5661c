import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCheckpointStore } from "../src/node/checkpoint-store.ts";
import { readJournal } from "../src/node/record/journal.ts";
import { writeSynth } from "../src/node/synth.ts";
import { train } from "../src/node/train.ts";
import type { TrainOptions } from "../src/node/train-options.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-start-"));
const at = (...path: string[]) => join(folder, ...path);
const model = { imgSize: 16, modelKwargs: { patch_size: 4, embed_dim: 16, depth: 1, num_heads: 2 } };
const common = { data: at("shapes"), threads: 1, workers: 0, batchSize: 8, crop: "pad" as const, warmupEpochs: 0 };

/** Fine-tuning that ruins what it starts from. */
const ruin = (output: string, options: Partial<TrainOptions> = {}) =>
  train({
    ...{ ...common, pretrained: at("base"), headInit: "probe" as const, sched: "constant", lr: 1, epochs: 2 },
    ...{ output: at(output), ...options },
  });

beforeAll(async () => {
  await writeSynth(at("shapes"), { count: 64, seed: 3, size: 16 });
  await train({ ...common, ...model, epochs: 2, lr: 2e-3, output: at("base") });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("fine-tuning from a linear probe", () => {
  it("keeps the probe as its best checkpoint where no epoch is better", async () => {
    const messages: string[] = [];
    const { epochs } = await ruin("ruined", { onEvent: (e) => e.type === "note" && messages.push(e.message) });
    const best = await createCheckpointStore(at("ruined"), { history: 9, readOnly: true }).best();
    expect(best?.step).toBe(0);
    expect(best?.metric).toBeGreaterThan(Math.max(...epochs.map((e) => e.val?.top1 as number)));
    expect(messages.find((m) => m.startsWith("before the first epoch"))).toContain(`${best?.metric?.toFixed(2)} %`);
    const [first] = await readJournal(at("ruined"));
    expect(first).toMatchObject({ type: "save", step: 0, metric: best?.metric });
    expect(readFileSync(at("ruined", "summary.csv"), "utf8").trimEnd().split("\n")).toHaveLength(1 + epochs.length);
  });

  it("goes on from there to the same bits", async () => {
    const stop = new AbortController();
    const begun = await ruin("parts", {
      signal: stop.signal,
      onEvent: (e) => e.type === "begin" && stop.abort(),
    });
    expect(begun.interrupted).toBe(true);
    const again: string[] = [];
    await ruin("parts", { resume: "auto", onEvent: (e) => again.push(e.type) });
    expect(again).not.toContain("begin");
    const last = (run: string) => {
      const newest = readdirSync(at(run))
        .filter((name) => name.startsWith("checkpoint-"))
        .sort()
        .at(-1) as string;
      return readFileSync(at(run, newest, "model.safetensors"));
    };
    expect(last("parts").equals(last("ruined"))).toBe(true);
    const best = await createCheckpointStore(at("parts"), { history: 9, readOnly: true }).best();
    expect(best?.step).toBe(0);
  });
});
