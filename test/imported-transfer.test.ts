import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importOnnx } from "../src/models/import-onnx.ts";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { toOnnx } from "../src/node/export-file.ts";
import { importFile } from "../src/node/import-file.ts";
import { openTrained } from "../src/node/model-files.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { linearProbe } from "../src/node/probe.ts";
import { FINETUNE } from "../src/node/settings/finetune.ts";
import { writeSynth } from "../src/node/synth.ts";
import { train } from "../src/node/train.ts";
import type { TrainOptions } from "../src/node/train-options.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { exportOnnx } from "../src/train/export.ts";
import { parityTensor, parityValues } from "../src/verify/parity.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { difference, floats } from "./import-check.ts";
import { shuffleNames } from "./shuffle-names.ts";

/** A ViT of five classes under names that say nothing, and drawn images of three. */
const folder = mkdtempSync(join(tmpdir(), "tesserae-imported-"));
const at = (...path: string[]) => join(folder, ...path);
const foreign = at("foreign.onnx");
const CLASSES = 3;
let names: string[];
let backend: Backend;

beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
  await writeSynth(at("all"), { count: 48, seed: 3, size: 16 });
  for (const part of readdirSync(at("all")).filter((name) => name === "train" || name === "val"))
    for (const name of readdirSync(at("all", part)).sort().slice(0, CLASSES)) {
      mkdirSync(at("shapes", part), { recursive: true });
      cpSync(at("all", part, name), at("shapes", part, name), { recursive: true });
    }
  const options = { img_size: 16, patch_size: 4, embed_dim: 16, depth: 2, num_heads: 2, num_classes: 5 };
  const model = createModel("vit_tiny_patch16_224", options);
  const weights = new Map(model.slots.map((s) => [s.name, parityTensor(s)]));
  writeFileSync(foreign, shuffleNames(exportOnnx(model, specOf(model, []), weights).model));
  names = (await importFile(foreign)).model.slots.map((s) => s.name);
});
afterAll(async () => {
  await backend.dispose();
  rmSync(folder, { recursive: true });
});

const finetune = (output: string, options: Partial<TrainOptions>) =>
  train({
    ...{ ...FINETUNE, data: at("shapes"), pretrained: foreign, output: at(output), threads: 1, workers: 0 },
    ...{ batchSize: 8, epochs: 1, crop: "pad" as const, cache: false, ...options },
  });

const trained = (name: string) => {
  const newest = readdirSync(at(name))
    .filter((entry) => entry.startsWith("checkpoint-"))
    .sort()
    .at(-1) as string;
  return readSafetensors(new Uint8Array(readFileSync(at(name, newest, "model.safetensors"))));
};

/** Parameters that are no longer what the file holds; a new head is. */
async function changed(name: string): Promise<string[]> {
  const { weights } = await importFile(foreign);
  return [...trained(name)].filter(([key, t]) => `${t.data}` !== `${weights.get(key)?.data}`).map(([key]) => key);
}

describe("a foreign ONNX file is fine-tuned", () => {
  it("with the defaults of finetune: all of it learns, under a head of the data's classes", async () => {
    const { epochs } = await finetune("whole", {});
    expect(epochs[0].val?.count).toBeGreaterThan(0);
    const found = trained("whole");
    expect(found.get("head.weight")?.shape).toEqual([CLASSES, 16]);
    expect((await changed("whole")).length).toBeGreaterThan(0.9 * found.size);
  });

  it("by its head alone, or all but what a glob names", async () => {
    await finetune("frozen", { freeze: ["*"] });
    expect(await changed("frozen")).toEqual(["head.weight", "head.bias"]);
    const first = names.filter((name) => name.startsWith(names[0].slice(0, 3)));
    await finetune("part", { freeze: [`${names[0].slice(0, 3)}*`] });
    const learnt = await changed("part");
    expect(first.length).toBeGreaterThan(0);
    expect(learnt.filter((name) => first.includes(name))).toEqual([]);
    expect(learnt).toContain("head.weight");
  });

  it("by adapters, which an export has merged", async () => {
    // From a random head, so that the best weights are not those it begins with, whose adapters are zero.
    const options = { loraRank: 2, lr: 1e-2, warmupEpochs: 0, sched: "constant", epochs: 2 } as const;
    await finetune("lora", { ...options, headInit: "random", evalMetric: "loss" });
    const found = trained("lora");
    const adapters = [...found.keys()].filter((name) => name.includes("lora_B"));
    expect(adapters.length).toBeGreaterThan(0);
    expect(adapters.some((name) => floats(found.get(name)).some((v) => v !== 0))).toBe(true);
    const onnx = toOnnx(await openTrained(at("lora"))).model;
    const merged = importOnnx(onnx);
    expect(merged.model.slots.filter((s) => s.name.includes("lora"))).toEqual([]);
    const image = parityValues("image", [2, ...merged.model.inputShape], 2);
    const run = async (bytes: Uint8Array) => {
      const session = await backend.load({ model: bytes });
      const outputs = await session.run(new Map([["image", image]]));
      await session.dispose();
      return floats(outputs.get("logits"));
    };
    const written = await run(new Uint8Array(readFileSync(at("lora", "model.onnx"))));
    expect(difference(await run(onnx), written)).toBeLessThan(1e-6);
    expect(difference(await run(await withoutAdapters("lora")), written)).toBeGreaterThan(1e-3);
  });

  it("by a linear probe, which is a run of its own", async () => {
    const { metrics } = await linearProbe({
      ...{ data: at("shapes"), pretrained: foreign, cache: false, output: at("probe"), threads: 1, workers: 0 },
      ...{ batchSize: 8, crop: "pad" },
    });
    expect(metrics.count).toBeGreaterThan(0);
    expect((await openTrained(at("probe"))).spec.classes).toHaveLength(CLASSES);
  });
});

/** The export of a run as if its adapters had learnt nothing: the file's own weights under the head that was trained. */
async function withoutAdapters(name: string): Promise<Uint8Array> {
  const run = await openTrained(at(name));
  if (run.kind !== "weights") throw new Error("no weights");
  const { weights } = await importFile(foreign);
  return toOnnx({ ...run, weights: new Map([...run.weights].map(([key, t]) => [key, weights.get(key) ?? t])) }).model;
}
