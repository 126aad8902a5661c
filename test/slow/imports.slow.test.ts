import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { optimize } from "../../src/graph/passes/index.ts";
import type { TensorData } from "../../src/graph/types.ts";
import { type Imported, importOnnx } from "../../src/models/import-onnx.ts";
import { specOf } from "../../src/models/spec.ts";
import { createOrtBackend } from "../../src/node/ort.ts";
import { createOptimizer } from "../../src/optim/index.ts";
import type { Backend } from "../../src/runtime/backend.ts";
import { exportOnnx } from "../../src/train/export.ts";
import { oneHot } from "../../src/train/loss.ts";
import { initialState, trainStep } from "../../src/train/step.ts";
import { loadStep } from "../../src/train/stepper.ts";
import {
  againstDifferences,
  difference,
  floats,
  gradients,
  inLayoutOf,
  matchByValue,
  readReference,
  runExport,
  runFile,
  softmaxRows,
  type Tensors,
  worstGradient,
} from "../import-check.ts";
import { shuffleNames } from "../shuffle-names.ts";

/** Files of bench/python/export_*.py, in the folder that TESSERAE_IMPORTS names. */
const folder = process.env.TESSERAE_IMPORTS ?? "";
const files = existsSync(folder) ? readdirSync(folder).filter((f) => f.endsWith(".onnx")) : [];

/** Standardised kernels: the exporters themselves write another epsilon, so torch's gradients are not the file's. */
const UNLIKE_TORCH = new Set(["resnetv2"]);

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 2 });
});
afterAll(() => backend.dispose());

describe.skipIf(files.length === 0)("files of other libraries' exporters, under other names", () => {
  it.each(files)("%s", async (file) => {
    const bytes = shuffleNames(new Uint8Array(readFileSync(join(folder, file))));
    const imported = importOnnx(bytes);
    const label = file.split(".")[0];
    const reference = await readReference(join(folder, `${label}.safetensors`));
    const own = await differenceFromFile(imported, bytes, reference);
    expect(own).toBeLessThan(1e-5);

    const { found, of, worst } = await gradientsOf(imported, reference);
    console.log(`${file} | ${own.toExponential(0)} | ${found} of ${of} | ${worst.toExponential(0)}`);
    expect(found).toBeGreaterThan(0);
    if (!UNLIKE_TORCH.has(label)) expect(worst).toBeLessThan(1e-2);

    await trainsAndReturns(imported, reference);
  });
});

const labelsOf = (reference: Tensors): number[] => Array.from(reference.get("labels")?.data as BigInt64Array, Number);

/**
 * Ours against onnxruntime running the file itself, or what the library computed where onnxruntime refuses the file;
 * behind the softmax that was left out, where one was.
 */
async function differenceFromFile({ model, weights, report }: Imported, bytes: Uint8Array, reference: Tensors) {
  const image = reference.get("image") as TensorData;
  const logits = await runExport(backend, model, weights, image);
  const dropped = report.some((line) => line.startsWith("Softmax"));
  const theirs = await runFile(bytes, image).catch((error) => {
    const known = reference.get("logits");
    if (!known) throw error;
    return floats(known);
  });
  return difference(dropped ? softmaxRows(logits, model.numClasses) : logits, theirs);
}

interface GradientReport {
  readonly found: number;
  readonly of: number;
  readonly worst: number;
}

/** Against the library's gradients, or finite differences (their median: a ReLU may turn between the two sides). */
async function gradientsOf(imported: Imported, reference: Tensors): Promise<GradientReport> {
  const { model, weights } = imported;
  const of = model.slots.filter((s) => s.slot === "parameter").length;
  if ([...reference.keys()].some((k) => k.startsWith("grad_eval/"))) {
    const pairs = await gradientPairs(imported, reference);
    return { found: pairs.length, of, worst: worstGradient(pairs).difference };
  }
  const image = reference.get("image") as TensorData;
  const all = await againstDifferences(backend, model, weights, image, labelsOf(reference));
  const sorted = all.map((r) => r.difference).sort((a, b) => a - b);
  console.log(
    `  finite differences: 90 % within ${sorted[Math.floor(0.9 * sorted.length)]}, all within ${sorted.at(-1)}`,
  );
  return { found: all.length, of, worst: sorted[Math.floor(sorted.length / 2)] };
}

/**
 * Gradients of the parameters that are found in the reference by their values. Norms that the exporter left train by the
 * batch; where it folded them, or the reference has no gradients of training, those of evaluation are compared.
 */
async function gradientPairs({ model, weights }: Imported, reference: Tensors) {
  const norms = [...reference.keys()].filter((k) => /running_(mean|var)$/.test(k)).length;
  const kept = model.slots.filter((s) => s.slot === "buffer" && s.shape.length === 1).length === norms;
  const training = kept && [...reference.keys()].some((k) => k.startsWith("grad/"));
  const image = reference.get("image") as TensorData;
  const found = await gradients(backend, model, weights, image, labelsOf(reference), training);
  const pairs = [...matchByValue(model, weights, reference)].flatMap(([name, match]) => {
    const expected = reference.get(`${training ? "grad" : "grad_eval"}/${match.name}`);
    const shape = model.slots.find((s) => s.name === name)?.shape ?? [];
    const gradient = found.get(name);
    return expected && gradient
      ? [{ name: match.name, own: inLayoutOf(match, gradient, shape), reference: floats(expected) }]
      : [];
  });
  return pairs;
}

/** Ten steps lower the loss, and what is written after them computes the same when it is read back. */
async function trainsAndReturns({ model, weights }: Imported, reference: Tensors): Promise<void> {
  const image = reference.get("image") as TensorData;
  const labels = labelsOf(reference);
  const step = { batch: labels.length, optimizer: createOptimizer("adamw"), pixels: "float32" as const, clipGrad: 1 };
  const session = await loadStep(backend, optimize(trainStep(model, step)));
  const state = await backend.createState(initialState(model, weights, step));
  const target: TensorData = {
    dtype: "float32",
    shape: [labels.length, model.numClasses],
    data: oneHot(labels, model.numClasses),
  };
  const losses: number[] = [];
  for (let i = 0; i < 10; i++) {
    const lr: TensorData = { dtype: "float32", shape: [], data: Float32Array.of(1e-4) };
    const inputs = new Map([["image", image] as const, ["target", target] as const, ["lr", lr] as const]);
    const outputs = await session.run(inputs, { state, commit: "finite" });
    losses.push(floats(outputs.get("loss"))[0]);
  }
  expect(losses.at(-1)).toBeLessThan(losses[0]);

  const trained = await state.read(model.slots.map((s) => s.name));
  const again = importOnnx(exportOnnx(model, specOf(model, []), trained).model);
  const reloaded = await runExport(backend, again.model, again.weights, image);
  expect(difference(reloaded, await runExport(backend, model, trained, image))).toBeLessThan(1e-5);
  await Promise.all([session.dispose(), state.dispose()]);
}
