import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { corrupt } from "../data/corrupt/index.ts";
import { meanByCorruption, meanTop1 } from "../explain/robustness.ts";
import { createModel } from "../models/index.ts";
import { specOf } from "../models/spec.ts";
import { initialize } from "../models/trace.ts";
import type { Backend } from "../runtime/backend.ts";
import { pictureOf } from "../studio/picture.ts";
import { decodeFile } from "./decode.ts";
import type { TrainedModel } from "./model-files.ts";
import { createOrtBackend } from "./ort.ts";
import { createPredictor } from "./predictor.ts";
import { measureRobustness } from "./robustness.ts";
import { openData } from "./sources/open-data.ts";
import { writeSynth } from "./synth.ts";

let folder: string;
let backend: Backend;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tesserae-robust-"));
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(async () => {
  await backend.dispose();
  await rm(folder, { recursive: true, force: true });
});

describe("robustness", () => {
  it("is what the model says of corrupted copies, one by one", async () => {
    await writeSynth(folder, { count: 40, seed: 2, size: 24 });
    const { val } = await openData(folder, {});
    const model = createModel("convmixer", {
      img_size: 24,
      dim: 16,
      depth: 1,
      patch_size: 4,
      num_classes: val.classes.length,
    });
    const spec = specOf(model, val.classes);
    const trained = {
      kind: "weights",
      path: folder,
      spec,
      weights: initialize(model, 3),
      warnings: [],
    } as TrainedModel;
    const found = await measureRobustness(trained, val, backend, { corruptions: ["contrast", "patch_drop"], seed: 4 });
    expect(found.images).toBe(val.samples.length);
    const predictor = await createPredictor(trained, backend);
    let [right, loss] = [0, 0];
    for (const [index, { path, label }] of val.samples.entries()) {
      const { pixels } = pictureOf(spec, await decodeFile(path), path, 0);
      const planar = new Uint8Array(pixels.data.length);
      for (let i = 0; i < planar.length; i++) planar[i] = pixels.data[(i % 576) * 3 + Math.floor(i / 576)];
      const image = { data: planar, channels: 3, width: 24, height: 24 };
      const logits = await predictor.logits(corrupt(image, "patch_drop", 2, { seed: 4, index }).data.slice());
      const sum = logits.reduce((s, v) => s + Math.exp(v), 0);
      loss += Math.log(sum) - logits[label];
      right += Number(logits.indexOf(Math.max(...logits)) === label);
    }
    await predictor.dispose();
    const one = found.corrupted.find((c) => c.corruption === "patch_drop" && c.severity === 2);
    expect(one?.top1).toBeCloseTo((100 * right) / found.images, 10);
    expect(one?.loss).toBeCloseTo(loss / found.images, 5);
    const means = meanByCorruption(found);
    const own = found.corrupted.filter((c) => c.corruption === "contrast").map((c) => c.top1);
    expect(means.get("contrast")).toBeCloseTo(own.reduce((a, b) => a + b) / 5, 10);
    expect(meanTop1(found)).toBeCloseTo(means.get("contrast") as number, 10);
  });
});
