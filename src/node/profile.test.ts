import { describe, expect, it } from "vitest";
import { decodeProto, encodeModel } from "../graph/onnx.ts";
import { program } from "../graph/program.ts";
import { input, withScope } from "../graph/tensor.ts";
import { createModel } from "../models/index.ts";
import { statistics } from "../models/statistics.ts";
import { createEngine } from "./engine.ts";
import { measured, pathTo, profileModel, sumBy, type TraceEvent } from "./profile.ts";

const event = (name: string, ts: number, dur: number, op = "MatMul"): TraceEvent => ({
  ...{ name, ts, dur, cat: name === "model_run" ? "Session" : "Node", ph: "X", pid: 1, tid: 1 },
  args: { op_name: op, output_type_shape: [{ float: [2, 3] }] },
});

describe("a profile", () => {
  const x = input("x", "float32", [2, 4]);
  const w = input("w", "float32", [4, 3]);
  const hidden = withScope("blocks.0.mlp.fc1", () => x.matmul(w));
  const loss = withScope("loss", () => hidden.mean([0, 1]));
  const next = withScope("optimizer", () => w.sub(1));
  const dx = withScope("blocks.0.mlp.fc1", () => hidden.matmul(w.transpose([1, 0])));
  const outputs = new Map([["loss", loss], ["next:w", next], ["next:x", dx]] as const); // biome-ignore format: pairs
  const graph = program("step", outputs);
  const nameOf = (op: string, module: string) => {
    const nodes = decodeProto(encodeModel(graph).model).graph?.node;
    return nodes?.find((n) => n.opType === op && n.name.startsWith(`${module}/`))?.name as string;
  };

  it("finds operators in the program: module, phase, products; only of the runs that count", () => {
    const product = nameOf("MatMul", "blocks.0.mlp.fc1");
    const events = [
      event("model_run", 0, 50),
      event(`${product}_kernel_time`, 1, 40_000),
      event("model_run", 100, 50),
      event(`${product}_kernel_time`, 101, 4000),
      event(`${nameOf("Sub", "optimizer")}_kernel_time`, 110, 500, "Sub"),
      event("Reorder_kernel_time", 115, 250, "ReorderInput"),
      event("model_run", 200, 50),
      event(`${product}/MatMulAddFusion_kernel_time`, 201, 2000),
      event(`${product}_fence_before`, 203, 999),
    ];
    const { operators, trace } = measured(graph, events, 2);
    const shape = "2x3";
    expect(operators).toEqual([
      { op: "MatMul", module: "blocks.0.mlp.fc1", phase: "forward", shape, ms: 2, macs: 24 },
      { op: "Sub", module: "optimizer", phase: "update", shape, ms: 0.25, macs: 0 },
      { op: "ReorderInput", module: "runtime", phase: "forward", shape, ms: 0.125, macs: 0 },
      { op: "MatMul", module: "blocks.0.mlp.fc1", phase: "forward", shape, ms: 1, macs: 24 },
    ]);
    expect(trace).toMatchObject([{ name: "blocks.0.mlp.fc1 MatMul", cat: "forward", ts: 201, dur: 2000 }]);
  });

  it("is summed by module, the slowest first", () => {
    const of = (module: string, ms: number, phase: "forward" | "backward") =>
      ({ op: "Add", module, phase, shape: "", ms, macs: 1 }) as const;
    const operators = [of("blocks.0.norm1", 1, "forward"), of("head", 5, "forward"), of("blocks.0.mlp", 3, "backward")];
    expect(sumBy(operators, ({ module }) => pathTo(module, 1))).toEqual([
      { what: "head", calls: 1, ms: 5, macs: 1, phases: { forward: 5, backward: 0, update: 0 } },
      { what: "blocks.0", calls: 2, ms: 4, macs: 2, phases: { forward: 1, backward: 3, update: 0 } },
    ]);
  });

  it.each([
    ["blocks.0.attn.qkv", 1, "blocks.0"],
    ["blocks.0.attn.qkv", 2, "blocks.0.attn"],
    ["stages.1.blocks.2", 2, "stages.1.blocks.2"],
    ["blocks.0.0.fn", 1, "blocks.0"],
    ["loss", 3, "loss"],
  ])("the path %s to depth %i is %s", (module, depth, path) => {
    expect(pathTo(module, depth)).toBe(path);
  });

  it("of a real step has every product of the forward pass, in its module", async () => {
    const model = createModel("vit_tiny_patch16_224", {
      img_size: 16,
      patch_size: 8,
      embed_dim: 16,
      depth: 1,
      num_heads: 2,
    });
    const engine = await createEngine({ threads: 1 });
    try {
      const { operators } = await profileModel(model, engine, {
        training: true,
        batch: 2,
        steps: 1,
        without: ["drop-dead-tokens"],
      });
      const forward = operators.filter((p) => p.phase === "forward" && p.macs > 0);
      const macs = forward.reduce((sum, p) => sum + p.macs, 0);
      expect(macs).toBeCloseTo(2 * statistics(model).gmacs * 1e9, -1);
      expect(forward.map((p) => p.module)).toContain("blocks.0.attn.qkv");
      expect(new Set(operators.map((p) => p.phase))).toEqual(new Set(["forward", "backward", "update"]));
    } finally {
      await engine.dispose();
    }
  });
});
