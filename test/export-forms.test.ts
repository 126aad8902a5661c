import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createProgram } from "../src/cli/program.ts";
import { decodeProto, type OnnxModel } from "../src/graph/onnx.ts";
import { createModel, type ModelOptions } from "../src/models/index.ts";
import type { Model } from "../src/models/model.ts";
import { specOf } from "../src/models/spec.ts";
import type { Weights } from "../src/models/trace.ts";
import { calibrate } from "../src/node/calibrate.ts";
import { planOf, toOnnx } from "../src/node/export-file.ts";
import { imageLoader, openImages } from "../src/node/images.ts";
import { openTrained, type TrainedModel } from "../src/node/model-files.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { writeSynth } from "../src/node/synth.ts";
import { writeTimmFolder } from "../src/node/timm-folder.ts";
import type { Backend } from "../src/runtime/backend.ts";
import { normalized } from "../src/train/predictor.ts";
import { parityTensor, parityValues } from "../src/verify/parity.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-forms-"));
const at = (name: string) => join(folder, name);
let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
  await writeSynth(at("shapes"), { count: 24, seed: 0, size: 32 });
});
afterAll(async () => {
  await backend.dispose();
  rmSync(folder, { recursive: true });
});

type Weighted = TrainedModel & { kind: "weights" };

function filled(name: string, options: ModelOptions): { model: Model; trained: Weighted } {
  const model = createModel(name, { ...options, num_classes: 6 });
  const weights: Weights = new Map(model.slots.map((s) => [s.name, parityTensor(s)]));
  const spec = specOf(
    model,
    Array.from({ length: 6 }, (_, i) => `class ${i}`),
  );
  return { model, trained: { kind: "weights", path: name, spec, weights, warnings: [] } };
}

const SMALL = { layers: [1, 1, 1, 1], channels: [16, 32, 48, 64], stem_width: 32 };
const CNN = ["resnet18", { img_size: 32, ...SMALL }] as const;
const RELU6 = ["mobilenetv2_035", { img_size: 64 }] as const;
const SAME = ["tf_mobilenetv3_small_minimal_100", { img_size: 32 }] as const;
const VIT = ["vit_tiny_patch16_224", { img_size: 32, patch_size: 8, embed_dim: 64, depth: 2, num_heads: 4 }] as const;

async function logits(
  onnx: OnnxModel,
  shape: readonly number[],
  data = parityValues("image", shape, 2).data,
): Promise<Float32Array> {
  const session = await backend.load(onnx);
  const outputs = await session.run(new Map([["image", { dtype: "float32" as const, shape, data }]]));
  await session.dispose();
  return outputs.get("logits")?.data as Float32Array;
}

/** ‖a - b‖ / ‖b - mean b‖: what part of what tells the classes apart is lost. */
function loss(a: Float32Array, b: Float32Array): number {
  const mean = b.reduce((x, y) => x + y, 0) / b.length;
  const sum = (f: (v: number, i: number) => number) => b.reduce((s, v, i) => s + f(v, i) ** 2, 0);
  return Math.sqrt(sum((v, i) => v - a[i]) / sum((v) => v - mean));
}

const counts = ({ model }: OnnxModel): Record<string, number> => {
  const found: Record<string, number> = {};
  for (const { opType } of decodeProto(model).graph?.node ?? []) found[opType] = (found[opType] ?? 0) + 1;
  return found;
};

/** Drawn images as the model takes them. */
async function drawn({ spec }: Weighted, count: number): Promise<Float32Array> {
  const loader = imageLoader(await openImages(at("shapes")), spec, count);
  for await (const { images } of loader.epoch(0)) return normalized(images, spec);
  throw new Error("no images");
}

async function staticForm(trained: Weighted): Promise<OnnxModel> {
  const loader = imageLoader(await openImages(at("shapes")), trained.spec, 8);
  const ranges = await calibrate(planOf(trained), trained.spec, loader, backend, { method: "minmax" });
  await loader.close();
  return toOnnx(trained, { form: "static", ranges });
}

describe("float16", () => {
  it.each([CNN, VIT])(
    "of %s takes half the bytes, the same images, and gives nearly the same",
    async (name, options) => {
      const { trained, model } = filled(name, options);
      const [whole, half] = [toOnnx(trained), toOnnx(trained, { form: "float16" })];
      expect(half.model.length / whole.model.length).toBeLessThan(0.6);
      for (const batch of [1, 3]) {
        const shape = [batch, ...model.inputShape];
        expect(loss(await logits(half, shape), await logits(whole, shape))).toBeLessThan(0.01);
      }
    },
  );
});

describe("static quantization", () => {
  it.each([
    [CNN, 0.12],
    [RELU6, 0.25],
    [VIT, 0.12],
  ] as const)("of %s is a third of the size or less and gives nearly the same", async ([name, options], most) => {
    const { trained, model } = filled(name, options);
    const whole = toOnnx(trained);
    const bytes = await staticForm(trained);
    expect(bytes.model.length / whole.model.length).toBeLessThan(1 / 3);
    const shape = [2, ...model.inputShape];
    const images = await drawn(trained, 2);
    expect(loss(await logits(bytes, shape, images), await logits(whole, shape, images))).toBeLessThan(most);
  });

  it("is in QDQ form: weights by channel, norms folded, clipping left to the bytes", async () => {
    const onnx = await staticForm(filled(...CNN).trained);
    const { graph } = decodeProto(onnx.model);
    const ops = counts(onnx);
    expect(ops.BatchNormalization).toBeUndefined();
    expect(ops.Relu).toBeUndefined();
    const wide = graph?.initializer.filter((t) => t.dataType === 3 && t.dims.length === 4) ?? []; // int8 kernels
    expect(wide).toHaveLength(ops.Conv);
    for (const { rawData, name } of wide) expect(Math.max(...new Int8Array(rawData).map(Math.abs)), name).toBe(63);
  });
});

describe("dynamic quantization", () => {
  it("makes linear layers integers, without images", async () => {
    const { trained, model } = filled(...VIT);
    const [whole, dynamic] = [toOnnx(trained), toOnnx(trained, { form: "dynamic" })];
    expect(counts(dynamic).MatMulInteger).toBe(12);
    expect(dynamic.model.length / whole.model.length).toBeLessThan(0.5);
    const shape = [3, ...model.inputShape];
    expect(loss(await logits(dynamic, shape), await logits(whole, shape))).toBeLessThan(0.12);
  });
});

describe("a free image size", () => {
  it("gives what the model gives at that size", async () => {
    const { trained } = filled(...CNN);
    const free = toOnnx(trained, { imgSize: "free" });
    for (const [height, width] of [
      [32, 32],
      [41, 70],
    ]) {
      const other = createModel("resnet18", { ...SMALL, img_size: [height, width], num_classes: 6 });
      const fixed = toOnnx({ ...trained, spec: specOf(other, trained.spec.classes) });
      expect(await logits(free, [2, 3, height, width])).toEqual(await logits(fixed, [2, 3, height, width]));
    }
  });

  it.each([VIT, SAME])("is refused where the graph depends on it: %s", (name, options) => {
    expect(() => toOnnx(filled(name, options).trained, { imgSize: "free" })).toThrow(/depends on the image size/);
  });
});

describe("timm's layout", () => {
  it("reads back as the same model", async () => {
    const { trained } = filled(...VIT);
    const spec = {
      ...trained.spec,
      descriptions: trained.spec.classes.map((name) => `a ${name}`),
      license: "mit",
      preprocessing: { ...trained.spec.preprocessing, crop_mode: "squash" as const },
    };
    await writeTimmFolder(at("timm"), spec, trained.weights);
    const copy = await openTrained(at("timm"));
    expect({ ...copy.spec, options: undefined }).toEqual({ ...spec, options: undefined });
    expect(toOnnx(copy).model).toEqual(toOnnx({ ...trained, spec: copy.spec }).model);
  });
});

describe("export --check", () => {
  it("compares every form on images, on stdout as JSON", async () => {
    const { trained } = filled(...VIT);
    await writeTimmFolder(at("checked"), trained.spec, trained.weights);
    let text = "";
    const stdout = vi.spyOn(process.stdout, "write").mockImplementation((chunk) => Boolean((text += chunk)));
    await createProgram().run(["export", at("checked"), "--check", at("shapes"), "--check-images", "6", "--json"]);
    stdout.mockRestore();
    const { images, forms } = JSON.parse(text);
    expect(images).toBe(6);
    expect(forms.map((f: { form: string }) => f.form)).toEqual([
      ...["ONNX float32", "ONNX float16", "ONNX int8 dynamic", "ONNX int8 static", "timm's layout"],
    ]);
    expect(forms[0]).toMatchObject({ agreement: 100, logits: 0, probability: 0 });
    expect(forms[4]).toMatchObject({ agreement: 100, logits: 0, probability: 0 });
    for (const { milliseconds, bytes } of forms) expect(Math.min(milliseconds, bytes)).toBeGreaterThan(0);
  });

  it.each([
    [["--half", "--quantize", "dynamic"], /two forms/],
    [["--quantize", "static"], /needs --calibrate/],
    [["--calibrate", "x"], /is for --quantize static/],
    [["--format", "safetensors", "--half"], /float32 weights/],
  ])("and the other flags refuse what makes no sense: %s", async (flags, says) => {
    await expect(createProgram().run(["export", "none", ...flags])).rejects.toThrow(says);
  });
});
