import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { encodeModel } from "../graph/onnx.ts";
import { optimize } from "../graph/passes/index.ts";
import type { TensorData } from "../graph/types.ts";
import { createModel } from "../models/index.ts";
import { initialize } from "../models/trace.ts";
import { adamw } from "../optim/adamw.ts";
import { ortBackend, type PreparedModels } from "../runtime/ort-session.ts";
import { initialState, trainStep } from "../train/step.ts";
import { preparedModels } from "./prepared-models.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "tesserae-prepared-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const MODEL = bytes(1, 2, 3);
const keepSome = (models: PreparedModels, ...values: number[]) =>
  models.keep(MODEL, "extended", (path) => writeFile(path, bytes(...values)));
const files = () => readdir(join(root, "programs")).catch(() => []);

describe("kept programs", () => {
  it("are found by the program, the rewriting and the runtime", async () => {
    const models = preparedModels("1.0", root);
    await keepSome(models, 7, 8);
    expect(await models.find(MODEL, "extended")).toEqual(bytes(7, 8));
    expect(await models.find(bytes(1, 2), "extended")).toBeUndefined();
    expect(await models.find(MODEL, "basic")).toBeUndefined();
    expect(await preparedModels("1.1", root).find(MODEL, "extended")).toBeUndefined();
    expect(await files()).toHaveLength(1); // no draft is left
  });

  it.each([
    ["a flipped bit", (b: Uint8Array) => b.map((v, i) => (i === b.length - 1 ? v ^ 1 : v))],
    ["a lost end", (b: Uint8Array) => b.subarray(0, b.length - 1)],
    ["nothing", () => bytes()],
  ])("are as if they were not there with %s", async (_, damage) => {
    const models = preparedModels("1.0", root);
    await keepSome(models, 7, 8);
    const [name] = await files();
    const path = join(root, "programs", name);
    await writeFile(path, damage(new Uint8Array(await readFile(path))));
    expect(await models.find(MODEL, "extended")).toBeUndefined();
  });
});

describe("a training step", () => {
  const model = createModel("vit_tiny_patch16_224", {
    img_size: 16,
    patch_size: 4,
    embed_dim: 48,
    depth: 3,
    num_classes: 3,
  });
  const options = { batch: 4, optimizer: adamw(), pixels: "float32" } as const;
  const ramp = (shape: readonly number[]): TensorData => ({
    dtype: "float32",
    shape,
    data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)),
  });
  const feeds = new Map<string, TensorData>([
    ...initialState(model, initialize(model, 1), options),
    ["image", ramp([4, 3, 16, 16])],
    ["target", ramp([4, 3])],
    ["lr", { dtype: "float32", shape: [], data: Float32Array.of(0.01) }],
  ]);

  /** Outputs of a step, and whether its program was found. */
  async function run(folder: string): Promise<{ found: boolean; outputs: Map<string, TensorData> }> {
    const models = preparedModels("1.0", folder);
    let found = false;
    const prepared: PreparedModels = {
      ...models,
      find: async (...given) => {
        const kept = await models.find(...given);
        found = kept !== undefined;
        return kept;
      },
    };
    const setup = { ort, device: "cpu", provider: "cpu", target: {}, threads: 1, writesInto: true, prepared };
    const program = encodeModel(optimize(trainStep(model, options)));
    const session = await ortBackend(setup).load(program, { optimization: "extended", keep: true });
    const outputs = await session.run(feeds);
    await session.dispose();
    return { found, outputs };
  }

  it("gives the same bits when its program was kept", async () => {
    const first = await run(root);
    const again = await run(root);
    expect([first.found, again.found]).toEqual([false, true]);
    expect(again.outputs).toEqual(first.outputs);
  });

  it("runs where nothing can be kept", async () => {
    const file = join(root, "file");
    await writeFile(file, "");
    expect((await run(join(file, "below"))).outputs.size).toBeGreaterThan(3);
  });
});
