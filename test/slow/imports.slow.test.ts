import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { optimize } from "../../src/graph/passes/index.ts";
import type { TensorData } from "../../src/graph/types.ts";
import { importOnnx } from "../../src/models/import-onnx.ts";
import { specOf } from "../../src/models/spec.ts";
import { createOrtBackend } from "../../src/node/ort.ts";
import { createOptimizer } from "../../src/optim/index.ts";
import type { Backend } from "../../src/runtime/backend.ts";
import { exportOnnx } from "../../src/train/export.ts";
import { oneHot } from "../../src/train/loss.ts";
import { initialState, trainStep } from "../../src/train/step.ts";
import { loadStep } from "../../src/train/stepper.ts";
import {
  difference,
  floats,
  gradients,
  inLayoutOf,
  matchByValue,
  readReference,
  runExport,
  runFile,
  worstGradient,
} from "../import-check.ts";
import { shuffleNames } from "../shuffle-names.ts";

/** Files of bench/python/export_onnx.py, in the folder that TESSERAE_IMPORTS names. */
const folder = process.env.TESSERAE_IMPORTS ?? "";
const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".onnx")) : [];

/** Standardised kernels: the exporters themselves write another epsilon, so torch's gradients are not the file's. */
const UNLIKE_TORCH = new Set(["resnetv2"]);

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 2 });
});
afterAll(() => backend.dispose());

describe.skipIf(files.length === 0)("files of torch's exporters, under other names", () => {
  it.each(files)("%s", async (file) => {
    const bytes = shuffleNames(new Uint8Array(readFileSync(join(folder, file))));
    const { model, weights } = importOnnx(bytes);
    const label = file.split(".")[0];
    const reference = await readReference(join(folder, `${label}.safetensors`));
    const image = reference.get("image") as TensorData;
    const labels = Array.from(reference.get("labels")?.data as BigInt64Array, Number);

    const logits = await runExport(backend, model, weights, image);
    const own = difference(logits, await runFile(bytes, image));
    expect(own).toBeLessThan(1e-5);

    // Norms that the exporter left train by the batch; one that it folded is gone, and torch's evaluation is the like.
    const norms = [...reference.keys()].filter((k) => /running_(mean|var)$/.test(k)).length;
    const training = model.slots.filter((s) => s.slot === "buffer" && s.shape.length === 1).length === norms;
    const found = await gradients(backend, model, weights, image, labels, training);
    const matches = matchByValue(model, weights, reference);
    const pairs = [...matches].flatMap(([name, match]) => {
      const expected = reference.get(`${training ? "grad" : "grad_eval"}/${match.name}`);
      const shape = model.slots.find((s) => s.name === name)?.shape ?? [];
      const gradient = found.get(name);
      return expected && gradient
        ? [{ name: match.name, own: inLayoutOf(match, gradient, shape), reference: floats(expected) }]
        : [];
    });
    const worst = worstGradient(pairs);
    const parameters = model.slots.filter((s) => s.slot === "parameter").length;
    console.log(
      `${file} | ${own.toExponential(1)} | ${pairs.length}/${parameters} | ${worst.difference.toExponential(1)}`,
    );
    expect(pairs.length).toBeGreaterThan(0);
    if (!UNLIKE_TORCH.has(label)) expect(worst.difference).toBeLessThan(1e-2);

    const step = { batch: 4, optimizer: createOptimizer("adamw"), pixels: "float32" as const, clipGrad: 1 };
    const session = await loadStep(backend, optimize(trainStep(model, step)));
    const state = await backend.createState(initialState(model, weights, step));
    const target: TensorData = {
      dtype: "float32",
      shape: [4, model.numClasses],
      data: oneHot(labels, model.numClasses),
    };
    const losses: number[] = [];
    for (let i = 0; i < 10; i++) {
      const lr: TensorData = { dtype: "float32", shape: [], data: Float32Array.of(1e-4) };
      const outputs = await session.run(
        new Map([
          ["image", image],
          ["target", target],
          ["lr", lr],
        ]),
        { state, commit: "finite" },
      );
      losses.push(floats(outputs.get("loss"))[0]);
    }
    expect(losses.at(-1)).toBeLessThan(losses[0]);

    const trained = await state.read(model.slots.map((s) => s.name));
    const again = importOnnx(exportOnnx(model, specOf(model, []), trained).model);
    const reloaded = await runExport(backend, again.model, again.weights, image);
    expect(difference(reloaded, await runExport(backend, model, trained, image))).toBeLessThan(1e-5);
    await Promise.all([session.dispose(), state.dispose()]);
  });
});
