import { describe, expect, it } from "vitest";
import { encodeModel } from "../graph/onnx.ts";
import { createModel } from "../models/index.ts";
import { specOf } from "../models/spec.ts";
import { initialize } from "../models/trace.ts";
import { toOnnx } from "../node/export-file.ts";
import { exportProgram } from "../train/export.ts";
import { readModel, subjectOf } from "./model.ts";

const model = createModel("convmixer", {
  ...{ img_size: 16, patch_size: 4, dim: 8, depth: 1, kernel_size: 3, num_classes: 3 },
});
const spec = specOf(model, ["a", "b", "c"]);
const weights = initialize(model, 1);
const trained = { kind: "weights", path: "it", spec, weights, warnings: [] } as const;

describe("readModel", () => {
  it("reads an export of ours as its own architecture, with every weight", () => {
    const read = readModel(toOnnx(trained).model);
    expect(read.spec).toEqual(spec);
    expect([...(read.weights?.keys() ?? [])].sort()).toEqual([...weights.keys()].sort());
    for (const [name, { dtype, shape, data }] of weights)
      if (dtype === "float32") expect(read.weights?.get(name)).toEqual({ dtype, shape, data });
    expect(read.weights?.get("stem.2.num_batches_tracked")).toMatchObject({
      dtype: "int64",
      data: BigInt64Array.of(0n),
    });
  });

  it("reads halves as floats; integers predict only", async () => {
    const half = readModel(toOnnx(trained, { form: "float16" }).model);
    const [exact, rounded] = [weights.get("head.weight")?.data ?? [], half.weights?.get("head.weight")];
    expect(rounded?.dtype).toBe("float32");
    rounded?.data.forEach((v, i) => {
      expect(Math.abs(Number(v) / Number(exact[i]) - 1)).toBeLessThanOrEqual(2 ** -11);
    });
    const own = createModel("vit_tiny_patch16_224", {
      img_size: 32,
      embed_dim: 64,
      depth: 1,
      num_heads: 2,
      num_classes: 3,
    });
    const wide = { ...trained, spec: specOf(own, ["a", "b", "c"]), weights: initialize(own, 1) };
    const integers = readModel(toOnnx(wide, { form: "dynamic" }).model);
    expect(integers.spec).toEqual(wide.spec);
    expect(integers.weights).toBeUndefined();
    const backend = undefined as never;
    await expect(subjectOf(integers, backend)).rejects.toThrow("holds its weights as integers");
  });

  it("reads another exporter's file as the graph it is, with the preprocessing that is given", () => {
    const file = encodeModel(exportProgram(model, weights)).model;
    const read = readModel(file, { preprocessing: { mean: [0.1, 0.2, 0.3] } });
    expect(read.spec).toMatchObject({ name: "onnx", classes: ["0", "1", "2"], inputShape: [3, 16, 16] });
    expect(read.spec.preprocessing.mean).toEqual([0.1, 0.2, 0.3]);
    expect(readModel(file).warnings.join()).toContain("preprocessing is not in the file");
  });

  it("says in one line which file is no model", () => {
    for (const bytes of [Uint8Array.of(), Uint8Array.of(1, 2, 3), new TextEncoder().encode("<html>")])
      expect(() => readModel(bytes, { name: "it.onnx" })).toThrow(/^it\.onnx: [^\n]*$/);
  });
});
