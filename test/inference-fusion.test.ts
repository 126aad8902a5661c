import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { decodeProto } from "../src/graph/onnx.ts";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { initialize } from "../src/models/trace.ts";
import { exportOnnx } from "../src/train/export.ts";

const folder = mkdtempSync(join(tmpdir(), "tesserae-fusion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an exported model", () => {
  it("is written so that the runtime fuses each GELU", async () => {
    const model = createModel("vit_tiny_patch16_224", {
      img_size: 32,
      patch_size: 16,
      embed_dim: 16,
      depth: 3,
      num_heads: 2,
      num_classes: 2,
    });
    const file = join(folder, "optimized.onnx");
    const session = await ort.InferenceSession.create(
      exportOnnx(model, specOf(model, ["a", "b"]), initialize(model, 1)).model,
      {
        graphOptimizationLevel: "extended",
        optimizedModelFilePath: file,
        logSeverityLevel: 3,
      },
    );
    await session.release();
    const operators = decodeProto(new Uint8Array(readFileSync(file))).graph?.node.map((n) => n.opType);
    expect(operators?.filter((op) => op === "Gelu" || op === "BiasGelu")).toHaveLength(3);
    expect(operators).not.toContain("Erf");
  });
});
