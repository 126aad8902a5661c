import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { importOnnx } from "../src/models/import-onnx.ts";
import { createModel } from "../src/models/index.ts";
import type { Model } from "../src/models/model.ts";
import { specOf } from "../src/models/spec.ts";
import type { Weights } from "../src/models/trace.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { exportOnnx } from "../src/train/export.ts";
import { parityTensor, parityValues } from "../src/verify/parity.ts";
import { CASES, type ContractCase } from "./contract-cases.ts";
import { difference, floats, gradients, inLayoutOf, matchByValue, runExport, worstGradient } from "./import-check.ts";
import { shuffleNames } from "./shuffle-names.ts";

/** One of each kind; `npm run verify:imports` takes every case of the contract. */
const KINDS = [
  ...["vit_tiny_patch16_224", "deit_tiny_distilled_patch16_224", "swin_tiny_patch4_window7_224", "maxvit_nano_rw_256"],
  ...["convmixer", "pvt_tiny", "sasa_resnet26", "resnet18", "mobilenetv3_small_100", "mixer_b16_224", "vgg11_bn"],
];

const CLASSES = 6;
const LABELS = [0, 3, 5, 1];

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 2 });
});
afterAll(() => backend.dispose());

function original({ model: name, options }: ContractCase): { model: Model; weights: Weights; bytes: Uint8Array } {
  const model = createModel(name, { ...options, num_classes: CLASSES });
  const weights = new Map(model.slots.map((s) => [s.name, parityTensor(s)]));
  return { model, weights, bytes: shuffleNames(exportOnnx(model, specOf(model, []), weights).model) };
}

describe("a model of ours, exported and read back under other names, is the same model", () => {
  const all = process.env.TESSERAE_ALL_IMPORTS
    ? CASES
    : KINDS.map((kind) => CASES.find((c) => c.model === kind) as ContractCase);
  it.each(all.map((c) => [`${c.model}: ${c.covers}`, c] as const))("%s", async (_, c) => {
    const { model, weights, bytes } = original(c);
    const copy = importOnnx(bytes);
    const image = parityValues("image", [LABELS.length, ...model.inputShape], 2);
    const logits = await runExport(backend, copy.model, copy.weights, image);
    expect(difference(logits, await runExport(backend, model, weights, image))).toBeLessThan(1e-5);

    const matches = matchByValue(copy.model, copy.weights, weights);
    const own = await gradients(backend, model, weights, image, LABELS);
    const found = await gradients(backend, copy.model, copy.weights, image, LABELS);
    const pairs = [...matches].flatMap(([name, match]) => {
      const shape = copy.model.slots.find((s) => s.name === name)?.shape ?? [];
      const reference = own.get(match.name);
      const gradient = found.get(name);
      return reference && gradient ? [{ name: match.name, own: inLayoutOf(match, gradient, shape), reference }] : [];
    });
    const trained = [...own].filter(([name]) => floats(weights.get(name)).length > 1);
    expect(pairs.length).toBeGreaterThanOrEqual(0.9 * trained.length);
    expect(worstGradient(pairs).difference).toBeLessThan(1e-3);
  });
});
