import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { applyTransform, evalTransform } from "../src/data/transform.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { optimize } from "../src/graph/passes/index.ts";
import { program } from "../src/graph/program.ts";
import { createModel } from "../src/models/index.ts";
import { checkWeights } from "../src/models/spec.ts";
import { imageInput, traceModule } from "../src/models/trace.ts";
import { decodeImage } from "../src/node/decode.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { readSafetensors } from "../src/weights/safetensors.ts";
import { hasShared, needsShared, sharedPath } from "./shared.ts";

/** Regular files of a .tar.gz by base name; 512-byte headers hold the name at 0 and the size, in octal, at 124. */
function untar(path: string): Map<string, Uint8Array> {
  const bytes = gunzipSync(readFileSync(path));
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 512 <= bytes.length && bytes[at]; ) {
    const name = bytes.toString("utf8", at, at + 100).replace(/\0.*/s, "");
    const size = Number.parseInt(bytes.toString("latin1", at + 124, at + 136), 8);
    if (size > 0) files.set(name.replace(/.*\//, ""), new Uint8Array(bytes.subarray(at + 512, at + 512 + size)));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

interface Reference {
  images: Record<string, { top5: number[]; probabilities: number[] }>;
}

describe.skipIf(!hasShared)(needsShared("published weights"), () => {
  it("of tf_efficientnet_lite0 load by name and give timm's top five on photographs", async () => {
    const model = createModel("tf_efficientnet_lite0");
    const path = sharedPath("hub/tf_efficientnet_lite0.in1k/model.safetensors");
    const weights = readSafetensors(new Uint8Array(readFileSync(path)), { where: path });
    checkWeights(model, weights);
    const image = imageInput(model, 1);
    const { output } = traceModule(model.forward, image, { training: false, source: weights });
    const outputs = new Map([["probabilities", output.softmax(1)]]);
    const backend = await createOrtBackend();
    const session = await backend.load(encodeModel(optimize(program("lite0", outputs))));
    const { mean, std, interpolation, crop_pct } = model.preprocessing;
    const transform = evalTransform({ size: 224, cropPct: crop_pct, interpolation });
    const files = untar(sharedPath("data/imagenet20.tar.gz"));
    const { images } = JSON.parse(new TextDecoder().decode(files.get("reference.json"))) as Reference;
    expect(Object.keys(images)).toHaveLength(20);
    for (const [name, { top5, probabilities }] of Object.entries(images)) {
      const pixels = new Uint8Array(3 * 224 * 224);
      const photograph = await decodeImage(files.get(name) as Uint8Array, name);
      applyTransform(transform, photograph, 3, { seed: 0, epoch: 0, index: 0 }, pixels);
      const data = Float32Array.from(pixels, (v, i) => {
        const c = Math.floor(i / (224 * 224));
        return (v / 255 - mean[c]) / std[c];
      });
      const result = await session.run(new Map([["image", { dtype: "float32" as const, shape: image.shape, data }]]));
      const ours = Array.from(result.get("probabilities")?.data as Float32Array);
      const order = [...ours.keys()].sort((a, b) => ours[b] - ours[a]).slice(0, 5);
      expect(order, name).toEqual(top5);
      top5.forEach((k, i) => {
        expect(Math.abs(ours[k] - probabilities[i]), name).toBeLessThan(1e-5);
      });
    }
    await session.dispose();
    await backend.dispose();
  });
});
