import { mkdtemp, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TesseraeError } from "../src/errors.ts";
import { decodeProto } from "../src/graph/onnx.ts";
import {
  FunctionProtoSchema,
  type GraphProto,
  TensorProto_DataLocation as Location,
  ModelProtoSchema,
} from "../src/graph/onnx_pb.ts";
import { importOnnx } from "../src/models/import-onnx.ts";
import { createModel } from "../src/models/index.ts";
import { specOf } from "../src/models/spec.ts";
import { initialize } from "../src/models/trace.ts";
import { importFile } from "../src/node/import-file.ts";
import { exportOnnx } from "../src/train/export.ts";
import { fuzzing } from "./fuzz.ts";
import { graphOf, ints, onnxFile, scalar, type TestFile, type TestNode, tensor } from "./onnx-file.ts";

const node = (op: string, inputs: string, out: string, attrs: TestNode["attrs"] = {}): TestNode => ({
  op,
  in: inputs.split(" ").filter(Boolean),
  out: out.split(" "),
  attrs,
});

/** A small classifier, with whatever stands before it. */
const classifier = (before: readonly TestNode[], more: Partial<TestFile> = {}, from = "x"): TestFile => ({
  ...more,
  nodes: [
    ...before,
    node("GlobalAveragePool", from, "g"),
    node("Flatten", "g", "f"),
    node("Gemm", "f w b", "y", { transB: 1 }),
  ],
  weights: { w: tensor([5, 3]), b: tensor([5]), ...more.weights },
});

const refusal = (file: TestFile | Uint8Array): string => {
  try {
    importOnnx(file instanceof Uint8Array ? file : onnxFile(file));
  } catch (error) {
    if (error instanceof TesseraeError) return error.message;
    throw error;
  }
  return "";
};

describe("what cannot be trained is refused by name, count and node", () => {
  it("lists unknown operators before any work", () => {
    const file = classifier([node("Spline", "x", "a"), node("Spline", "a", "c"), node("Loop", "c", "d")], {}, "d");
    expect(refusal(file)).toBe(
      'holds what cannot be trained here: 2 × Spline (first at "node of a"); 1 × Loop (first at "node of d")',
    );
  });

  it("lists sizes that depend on the image", () => {
    const file = classifier(
      [node("NonZero", "x", "i"), node("If", "p", "q")],
      { weights: { p: scalar(1, "bool") } },
      "x",
    );
    const data = { ...file, nodes: [node("NonZero", "x", "i"), node("Gather", "x i", "d"), ...file.nodes.slice(2)] };
    expect(refusal(data)).toMatch(
      /1 × NonZero of a size or an index that depends on the image \(first at "node of i"\)/,
    );
  });

  it("refuses an If that the image decides", () => {
    const branch = graphOf({ nodes: [node("Neg", "x", "t")], inputs: {}, outputs: ["t"] });
    const nodes = [
      node("ReduceMax", "x", "m", { keepdims: 0, axes: [1, 2, 3] }),
      node("Greater", "m zero", "p"),
      node("If", "p", "d", { then_branch: branch, else_branch: branch }),
    ];
    const file = classifier(nodes, { opset: 13, weights: { zero: scalar(0) } }, "d");
    expect(refusal(file)).toMatch(/1 × If whose condition depends on the image/);
  });

  it("says that quantized files are to be imported before quantization", () => {
    const weights = { s: scalar(0.1), z: scalar(0, "uint8") };
    const file = classifier(
      [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "d")],
      { weights },
      "d",
    );
    expect(refusal(file)).toMatch(/QuantizeLinear.*DequantizeLinear.*import the model it was made from/);
  });

  it("refuses what mixes the images of a batch", () => {
    expect(refusal(classifier([node("ReduceMean", "x", "d", { axes: [0] })], { opset: 13 }, "d"))).toMatch(
      /ReduceMean across the images of a batch/,
    );
  });

  it("refuses a graph that calculates with the size of its batch", () => {
    const nodes = [
      node("Shape", "x", "s"),
      node("Gather", "s zero", "n"),
      node("Cast", "n", "k", { to: 1 }),
      node("Mul", "x k", "d"),
    ];
    expect(refusal(classifier(nodes, { weights: { zero: scalar(0, "int64") } }, "d"))).toMatch(/size of its batch/);
  });

  it("refuses files that take no images, or that give no scores", () => {
    expect(refusal({ nodes: [node("Neg", "x", "y")], inputs: { x: { dims: [2, 3] } } })).toMatch(/has 2 axes/);
    expect(refusal({ nodes: [node("Neg", "x", "y")] })).toMatch(/no output holds a vector of scores/);
    const two = { x: { dims: ["n", 3, 8, 8] }, z: { dims: ["n", 3, 8, 8] } };
    expect(refusal({ nodes: [node("Add", "x z", "y")], inputs: two })).toMatch(/takes 2 inputs \(x, z\)/);
  });
});

describe("a broken or hostile file is one line, soon", () => {
  const model = createModel("vit_tiny_patch16_224", {
    img_size: 16,
    patch_size: 8,
    embed_dim: 8,
    depth: 1,
    num_heads: 2,
  });
  const vit = exportOnnx(model, specOf(model, []), initialize(model, 1)).model;
  const cnn = onnxFile(
    classifier(
      [
        node("Conv", "x k", "c", { pads: [1, 1, 1, 1] }),
        node("BatchNormalization", "c one zero zero one", "n"),
        node("Relu", "n", "d"),
      ],
      { weights: { k: tensor([3, 3, 3, 3]), one: tensor([3], [1, 1, 1]), zero: tensor([3], [0, 0, 0]) } },
      "d",
    ),
  );

  it("refuses shapes that no memory holds", () => {
    const huge = {
      nodes: [node("Expand", "w s", "e"), node("Add", "x e", "d")],
      weights: { w: tensor([1, 3, 1, 1]), s: ints(1, 3, 2 ** 40, 2 ** 40) },
    };
    expect(refusal(huge)).not.toBe("");
    for (const [op, inputs, weights] of [
      ["Range", "a b c", { a: scalar(0, "int64"), b: scalar(2 ** 52, "int64"), c: scalar(1, "int64") }],
      ["ConstantOfShape", "s", { s: ints(2 ** 20, 2 ** 20) }],
      ["Tile", "a r", { a: tensor([4, 4]), r: ints(2 ** 40, 1) }],
    ] as const) {
      const started = performance.now();
      expect(refusal(classifier([node(op, inputs, "e"), node("Add", "x e", "d")], { weights }, "d")), op).not.toBe("");
      expect(performance.now() - started, op).toBeLessThan(2000);
    }
  });

  it("refuses a tensor whose shape and bytes differ, without taking the memory", () => {
    const proto = decodeProto(cnn);
    const weight = proto.graph?.initializer[0];
    if (weight) weight.dims = [2n ** 40n, 2n ** 10n];
    expect(refusal(toBinary(ModelProtoSchema, proto))).toMatch(/bytes for the shape|impossible/);
  });

  it("refuses millions of empty nodes before they are decoded", () => {
    const nodes = new Uint8Array(6_000_000);
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a; // field 1 of a graph, no bytes
    const size = nodes.length;
    const head = [0x3a, (size & 127) | 128, ((size >> 7) & 127) | 128, ((size >> 14) & 127) | 128, size >> 21];
    const bytes = new Uint8Array([...head, ...nodes]);
    const started = performance.now();
    expect(refusal(bytes)).toMatch(/holds more than 1000000 parts/);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it("refuses graphs within graphs without end", () => {
    let graph: GraphProto = graphOf({ nodes: [node("Neg", "x", "y")], inputs: {} });
    for (let i = 0; i < 300; i++)
      graph = graphOf({
        nodes: [
          node("If", "p", "y", {
            then_branch: graph,
            else_branch: graph.node.length > 1 ? graph : graphOf({ nodes: [] }),
          }),
        ],
        inputs: {},
      });
    const file = { nodes: [node("If", "p", "y", { then_branch: graph })], weights: { p: scalar(1, "bool") } };
    expect(refusal(file)).toMatch(/deeper than/);
  });

  it("refuses functions that call each other without end, or too often", () => {
    const proto = decodeProto(onnxFile(classifier([{ ...node("F0", "x", "d"), domain: "f" }], {}, "d")));
    const call = (to: number) =>
      decodeProto(
        onnxFile({
          nodes: [
            { ...node(`F${to}`, "a", "h"), domain: "f" },
            { ...node(`F${to}`, "h", "b"), domain: "f" },
          ],
        }),
      ).graph?.node ?? [];
    const functions = Array.from({ length: 40 }, (_, i) => ({
      name: `F${i}`,
      domain: "f",
      input: ["a"],
      output: ["b"],
      node: call(i === 39 ? 0 : i + 1),
    }));
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, { ...proto, functions: functions.map((f) => create(FunctionProtoSchema, f)) }),
    );
    const started = performance.now();
    expect(refusal(bytes)).toMatch(/deeper than|more than/);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it("fuzzed: never crashes or hangs on mutated bytes", () => {
    const mutation = fc.record({
      file: fc.constantFrom(vit, cnn),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 5 }),
      edits: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
        maxLength: 12,
      }),
    });
    fc.assert(
      fc.property(mutation, ({ file, cut, edits }) => {
        const bytes = file.slice(0, cut === null ? file.length : Math.floor(cut * file.length));
        for (const [at, value] of edits) bytes[Math.floor(at * (bytes.length - 1))] = value;
        expectTyped(bytes);
      }),
      fuzzing(7, { runs: 400, seconds: 20, shares: 2 }),
    );
  });

  it("fuzzed: never crashes or hangs on nodes that are wired and set otherwise", () => {
    const edit = fc.record({
      file: fc.constantFrom(vit, cnn),
      edits: fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.nat(), fc.integer()), { minLength: 1, maxLength: 6 }),
    });
    fc.assert(
      fc.property(edit, ({ file, edits }) => {
        const proto = decodeProto(file);
        const graph = proto.graph as GraphProto;
        const names = [...graph.initializer.map((t) => t.name), ...graph.node.flatMap((n) => n.output)];
        for (const [where, kind, pick, value] of edits) {
          const n = graph.node[where % graph.node.length];
          const t = graph.initializer[where % graph.initializer.length];
          if (kind === 0 && n.input.length) n.input[pick % n.input.length] = names[Math.abs(value) % names.length];
          else if (kind === 1) n.opType = graph.node[pick % graph.node.length].opType;
          else if (kind === 2) n.input.splice(pick % (n.input.length + 1), 1);
          else if (kind === 3) for (const a of n.attribute) a.ints = a.ints.map((v) => v + BigInt(value));
          else if (kind === 4 && t.rawData.length >= 8)
            new DataView(t.rawData.buffer, t.rawData.byteOffset).setBigInt64(0, BigInt(value), true);
          else t.dims = [...t.dims].reverse();
        }
        expectTyped(toBinary(ModelProtoSchema, proto));
      }),
      fuzzing(11, { runs: 400, seconds: 20, shares: 2 }),
    );
  });

  /** An import succeeds, or says in one line why not. */
  function expectTyped(bytes: Uint8Array): void {
    const started = performance.now();
    try {
      importOnnx(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(TesseraeError);
      expect((error as Error).message).not.toContain("\n");
    }
    expect(performance.now() - started).toBeLessThan(5000);
  }
});

describe("external data lie beside the model, as files", () => {
  function external(location: string, entries: Record<string, string> = {}): Uint8Array {
    const proto = decodeProto(onnxFile(classifier([])));
    const weight = proto.graph?.initializer.find((t) => t.name === "w");
    if (!weight) throw new Error("no weight");
    weight.rawData = new Uint8Array();
    weight.dataLocation = Location.EXTERNAL;
    const all = { location, ...entries };
    weight.externalData = Object.entries(all).map(([key, value]) => ({
      $typeName: "onnx.StringStringEntryProto",
      key,
      value,
    }));
    return toBinary(ModelProtoSchema, proto);
  }
  const values = new Uint8Array(new Float32Array(15).fill(0.5).buffer);

  it("are read where they are given", () => {
    const { weights } = importOnnx(external("a/w.bin", { offset: "4", length: "60" }), {
      files: new Map([["a/w.bin", new Uint8Array([0, 0, 0, 0, ...values])]]),
    });
    expect(weights.get("w")?.data[14]).toBe(0.5);
  });

  it.each([
    "/etc/hostname",
    "../w.bin",
    "a/../../w.bin",
    "C:\\w.bin",
    "a\\..\\w.bin",
    "./w.bin",
    "a//w.bin",
    "",
    "w\u0000.bin",
  ])("refuse the place %j, of bytes too", (location) => {
    const files = new Map([[location, values]]);
    expect(() => importOnnx(external(location), { files })).toThrow(/no file beside the model/);
  });

  it.each<Record<string, string>>([
    { length: "61" },
    { offset: "1" },
    { offset: "-4" },
    { length: "1e9" },
    { offset: "99999999999999999999" },
  ])("refuse a stretch beyond the file: %j", (entries) => {
    const files = new Map([["w.bin", values]]);
    expect(() => importOnnx(external("w.bin", entries), { files })).toThrow(/beyond the file|bytes for the shape/);
  });

  it("refuse links, and files that are not there", async () => {
    const folder = await mkdtemp(join(tmpdir(), "tesserae-"));
    const outside = await mkdtemp(join(tmpdir(), "tesserae-"));
    await writeFile(join(outside, "w.bin"), values);
    const path = join(folder, "model.onnx");
    await writeFile(path, external("w.bin"));
    await expect(importFile(path)).rejects.toThrow(/no such file/);
    await symlink(join(outside, "w.bin"), join(folder, "w.bin"));
    await expect(importFile(path)).rejects.toThrow(/is a link/);
    await writeFile(path, external("sub/w.bin"));
    await symlink(outside, join(folder, "sub"));
    await expect(importFile(path)).rejects.toThrow(/is a link/);
    await writeFile(join(folder, "plain.bin"), values);
    await writeFile(path, external("plain.bin"));
    expect((await importFile(path)).weights.get("w")?.data[0]).toBe(0.5);
  });
});
