import { describe, expect, it } from "vitest";
import { createModel } from "../models/index.ts";
import { imageInput, initialize, traceLogits } from "../models/trace.ts";
import { evaluate } from "./evaluate.ts";
import { decodeProto, encodeModel, readMetadata } from "./onnx.ts";
import { decodeModel } from "./onnx-read.ts";
import { optimize } from "./passes/index.ts";
import { type Program, program } from "./program.ts";
import { type NdArray, sizeOf } from "./types.ts";

const model = createModel("vit_tiny_patch16_224", {
  img_size: 8,
  patch_size: 4,
  embed_dim: 8,
  depth: 1,
  num_heads: 2,
  num_classes: 3,
});
const weights = initialize(model, 1);

function exported(batch: number): Program {
  const { output } = traceLogits(model, imageInput(model, batch), { training: false, source: weights });
  return optimize(program("vit", new Map([["logits", output]])));
}

const images = (batch: number): NdArray => {
  const shape = [batch, 3, 8, 8];
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i)) };
};

const logits = (p: Program, batch: number) =>
  evaluate([...p.outputs.values()], new Map([["image", images(batch)]]))[0].data;

describe("ONNX bytes", () => {
  it("read back as the same program", () => {
    const original = exported(2);
    const copy = decodeModel(encodeModel(original));
    expect([...copy.outputs.keys()]).toEqual(["logits"]);
    logits(copy, 2).forEach((v, i) => {
      expect(v).toBeCloseTo(logits(original, 2)[i], 5); // scalar constants are float32 in the file
    });
  });

  it("keep the batch free", () => {
    const copy = decodeModel(encodeModel(exported(-1)));
    expect(copy.inputs[0].shape).toEqual([-1, 3, 8, 8]);
    expect(copy.outputs.get("logits")?.shape).toEqual([-1, 3]);
  });

  it("hold large weights outside, aligned, and find them again", () => {
    const original = exported(1);
    const { model: bytes, external } = encodeModel(original, { externalAbove: 0, externalLocation: "w.data" });
    expect(external?.location).toBe("w.data");
    expect(bytes.length).toBeLessThan(encodeModel(original).model.length);
    logits(decodeModel({ model: bytes, external }), 1).forEach((v, i) => {
      expect(v).toBeCloseTo(logits(original, 1)[i], 5);
    });
    expect(() => decodeModel({ model: bytes })).toThrow(/external file that was not given/);
  });

  it("carry metadata", () => {
    expect(readMetadata(encodeModel(exported(1), { metadata: { labels: '["猫"]' } }).model).get("labels")).toBe(
      '["猫"]',
    );
  });

  it("are the same for the same program, whatever was built before it", () => {
    expect(encodeModel(exported(1)).model).toEqual(encodeModel(exported(1)).model);
  });

  it("keep the names of weights", () => {
    const names = new Set(decodeProto(encodeModel(exported(1)).model).graph?.initializer.map((t) => t.name));
    for (const { name } of model.slots) expect(names, name).toContain(name);
  });

  it("that are no model are refused in one line", () => {
    expect(() => decodeModel({ model: new TextEncoder().encode("no model at all") })).toThrow(/not an ONNX model/);
  });

  it("with a tensor cut short are refused", () => {
    const { model: bytes } = encodeModel(exported(1), { externalAbove: 0 });
    const chunks = [new Uint8Array(16)];
    expect(() => decodeModel({ model: bytes, external: { location: "model.onnx.data", chunks } })).toThrow(
      /beyond the file/,
    );
  });
});
