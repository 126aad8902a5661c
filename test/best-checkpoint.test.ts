import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { initialize } from "../src/models/trace.ts";
import { createCheckpointStore } from "../src/node/checkpoint-store.ts";
import { openTrained } from "../src/node/model-files.ts";

let run: string;
beforeEach(() => {
  run = mkdtempSync(join(tmpdir(), "tesserae-best-"));
});
afterEach(() => rmSync(run, { recursive: true, force: true }));

describe("a run's best checkpoint", () => {
  it.each([
    ["top1", 2],
    ["loss", 1],
  ] as const)("by %s is that of step %i", async (evalMetric, best) => {
    const model = createModel("vit_tiny_patch16_224", {
      img_size: 16,
      patch_size: 8,
      embed_dim: 8,
      depth: 1,
      num_heads: 1,
    });
    const store = createCheckpointStore(run, { history: 9 });
    const meta = {
      spec: specOf(
        model,
        Array.from({ length: model.numClasses }, (_, i) => String(i)),
      ),
    };
    for (const step of [1, 2])
      await store.save({ step, metric: step, model: initialize(model, step), optimizer: new Map(), meta });
    writeFileSync(join(run, "config.json"), JSON.stringify({ settings: { evalMetric } }));
    const trained = await openTrained(run);
    expect(trained.kind === "weights" && trained.weights.get("head.weight")?.data).toEqual(
      initialize(model, best).get("head.weight")?.data,
    );
  });
});
