import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { extract } from "tar";
import { afterAll, describe, expect, it } from "vitest";
import { createModel } from "../src/models/index.ts";
import { adaptWeights } from "../src/models/pretrained.ts";
import { stemWeights } from "../src/models/pretrained-stem.ts";
import { initialize } from "../src/models/trace.ts";
import { openPretrained, openTrained } from "../src/node/model-files.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { createPredictor } from "../src/node/predictor.ts";
import { loadPretrained, pretrainedModel } from "../src/node/pretrained.ts";
import { writeSafetensors } from "../src/weights/safetensors.ts";
import { hasShared, needsShared, sharedPath } from "./shared.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-pretrained-"));
afterAll(() => rmSync(folder, { recursive: true }));

const tiny = { img_size: 32, embed_dim: 16, depth: 2, num_heads: 2, patch_size: 8, num_classes: 3 };

/** A folder in timm's layout. */
function published(name: string, config: object, seed = 1): string {
  const path = join(folder, name);
  mkdirSync(path);
  const model = createModel("vit_tiny_patch16_224", tiny);
  writeFileSync(join(path, "model.safetensors"), Buffer.concat(writeSafetensors(initialize(model, seed))));
  writeFileSync(join(path, "config.json"), JSON.stringify(config));
  return path;
}

const config = {
  architecture: "vit_tiny_patch16_224",
  num_classes: 3,
  label_names: ["n1", "n2", "n3"],
  label_descriptions: { n1: "cat", n2: "dog", n3: "owl" },
  model_args: { embed_dim: 16, depth: 2, num_heads: 2, patch_size: 8, unknown_to_us: 1 },
  pretrained_cfg: {
    ...{ input_size: [3, 32, 32], mean: [0.1, 0.2, 0.3], std: [1, 2, 3], interpolation: "bilinear", crop_pct: 1 },
    ...{ crop_mode: "squash", license: "mit" },
  },
};

describe("a folder in timm's layout", () => {
  it("says the model, its options, preprocessing, labels and license", async () => {
    const trained = await openTrained(published("all", config));
    expect(trained.spec).toMatchObject({
      ...{
        name: "vit_tiny_patch16_224",
        classes: ["n1", "n2", "n3"],
        descriptions: ["cat", "dog", "owl"],
        license: "mit",
      },
      preprocessing: {
        ...{ mean: [0.1, 0.2, 0.3], std: [1, 2, 3], interpolation: "bilinear", crop_pct: 1, crop_mode: "squash" },
      },
      inputShape: [3, 32, 32],
    });
    expect(trained.warnings).toEqual([]);
  });

  it("begins a model of other classes, channels and image size, and the report says what became of what", async () => {
    const source = await openPretrained(published("other", config));
    const model = pretrainedModel(source, { num_classes: 5, img_size: 48, in_chans: 1 });
    const { weights, report } = loadPretrained(model, source, { seed: 3 });
    expect(report).toMatchObject({
      ...{ resampled: ["pos_embed"], channels: ["patch_embed.proj.weight"], freshHead: ["head.weight", "head.bias"] },
      ...{ fresh: [], unused: [] },
    });
    expect(weights.get("pos_embed")?.shape).toEqual([1, 37, 16]);
    expect(weights.get("head.weight")?.data).toEqual(initialize(model, 3).get("head.weight")?.data);
    expect(weights.get("blocks.0.attn.qkv.weight")?.data).toEqual(source.tensors.get("blocks.0.attn.qkv.weight")?.data);
  });

  it("of another architecture is refused with what does not fit", async () => {
    const path = published("wrong", { ...config, model_args: {} });
    await expect(openTrained(path)).rejects.toThrow(/not weights of vit_tiny_patch16_224.*of another shape/);
  });

  it.each([
    ["not an object", [], /not a JSON object/],
    ["an interpolation unknown here", { ...config, pretrained_cfg: { interpolation: "lanczos" } }, /lanczos/],
    ["a share beyond 1", { ...config, pretrained_cfg: { crop_pct: 3 } }, /crop_pct 3/],
    ["a model that is none", { ...config, architecture: "__proto__" }, /unknown model/],
  ])("with %s is refused", async (name, bad, says) => {
    await expect(openTrained(published(name, bad))).rejects.toThrow(says);
  });

  it("keeps its head where the classes are as many", async () => {
    const source = await openPretrained(published("same", config));
    const { weights, report } = loadPretrained(pretrainedModel(source), source);
    expect(report.freshHead).toEqual([]);
    expect(weights.get("head.weight")?.data).toEqual(source.tensors.get("head.weight")?.data);
  });
});

describe("a file of weights alone", () => {
  it("is recognised by names and shapes", async () => {
    const path = join(folder, "resnet18.safetensors");
    const model = createModel("resnet18", { num_classes: 4 });
    writeFileSync(path, Buffer.concat(writeSafetensors(initialize(model, 1))));
    expect((await openTrained(path)).spec).toMatchObject({ name: "resnet18", options: { num_classes: 4 } });
  });

  it("of no model of ours is refused with what to do", async () => {
    const path = join(folder, "odd.safetensors");
    const tensor = { dtype: "float32" as const, shape: [1], data: new Float32Array(1) };
    writeFileSync(path, Buffer.concat(writeSafetensors(new Map([["odd", tensor]]))));
    await expect(openTrained(path)).rejects.toThrow(/of no model that tesserae knows.*--model/);
  });
});

describe("missing and unknown tensors", () => {
  const model = createModel("vit_tiny_patch16_224", tiny);

  it("are named: an error for the first, in the report for the second", () => {
    const tensors = initialize(model, 1);
    tensors.delete("blocks.1.norm2.bias");
    expect(() => adaptWeights(model, tensors)).toThrow(/1 missing \(blocks\.1\.norm2\.bias\)/);
    const { report } = adaptWeights(model, tensors, { partial: true });
    expect(report.fresh).toEqual(["blocks.1.norm2.bias"]);
    const extra = new Map(initialize(model, 1)).set("more", {
      dtype: "float32",
      shape: [1],
      data: new Float32Array(1),
    });
    expect(adaptWeights(model, extra).report.unused).toEqual(["more"]);
  });
});

describe("a hybrid with a pretrained stem", () => {
  it("takes a ResNet's convolutions and the scales of its norms, the rest anew", () => {
    const hybrid = createModel("vit_small_r26_s32_224", { depth: 1, embed_dim: 24, backbone_layers: [1, 1] });
    const resnet = initialize(createModel("resnet26", { num_classes: 2 }), 7);
    const { weights, report } = stemWeights(hybrid, resnet);
    const fresh = initialize(hybrid, 0);
    const taken = weights.get("patch_embed.backbone.stages.1.blocks.0.conv2.weight");
    expect(taken?.data).toEqual(resnet.get("layer2.0.conv2.weight")?.data);
    expect(weights.get("blocks.0.mlp.fc1.weight")).toEqual(fresh.get("blocks.0.mlp.fc1.weight"));
    expect(report.fresh).toEqual([]);
    expect(() => stemWeights(createModel("vit_tiny_patch16_224"), resnet)).toThrow(/no ResNet below/);
  });
});

describe.skipIf(!hasShared)(needsShared("published checkpoints opened by their folder"), () => {
  it("tf_efficientnet_lite0 gives timm's top 1 and probabilities on 20 photographs", async () => {
    await extract({ file: sharedPath("data/imagenet20.tar.gz"), cwd: folder });
    const data = join(folder, "imagenet20");
    const { images } = JSON.parse(readFileSync(join(data, "reference.json"), "utf8"));
    const trained = await openTrained(sharedPath("hub/tf_efficientnet_lite0.in1k"));
    expect(trained.spec.license).toBe("apache-2.0");
    const engine = await createOrtBackend();
    const predictor = await createPredictor(trained, engine);
    let worst = 0;
    for (const [name, { top5, probabilities }] of Object.entries<{ top5: number[]; probabilities: number[] }>(images)) {
      const guesses = await predictor.predict(join(data, name));
      expect(guesses[0].index, name).toBe(top5[0]);
      worst = Math.max(worst, Math.abs(guesses[0].probability - probabilities[0]));
    }
    expect(worst).toBeLessThan(0.01);
    await predictor.dispose();
    await engine.dispose();
  });
});
