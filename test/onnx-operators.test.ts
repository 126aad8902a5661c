import * as ort from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { evaluate } from "../src/graph/evaluate.ts";
import { program } from "../src/graph/program.ts";
import { input, type Tensor } from "../src/graph/tensor.ts";
import { type Shape, sizeOf, toDoubles } from "../src/graph/types.ts";
import { readOnnx } from "../src/onnx/read.ts";
import { recognise } from "../src/onnx/recognise.ts";
import { replay } from "../src/onnx/replay.ts";
import { float, graphOf, ints, onnxFile, scalar, type TestFile, type TestNode, tensor } from "./onnx-file.ts";
import { shuffleNames } from "./shuffle-names.ts";

const node = (op: string, inputs: string, attrs: TestNode["attrs"] = {}, out = "y"): TestNode => ({
  op,
  in: inputs.split(" ").map((name) => (name === "-" ? "" : name)),
  out: out.split(" "),
  attrs,
});

/** One operator over the image. */
const one = (op: string, attrs?: TestNode["attrs"], more: Partial<TestFile> = {}, inputs = "x"): TestFile => ({
  nodes: [node(op, inputs, attrs)],
  ...more,
});

const weights = (w: TestFile["weights"], more: Partial<TestFile> = {}): Partial<TestFile> => ({ weights: w, ...more });
const unary = ["Abs", "Ceil", "Cos", "Erf", "Exp", "Floor", "HardSwish", "Mish", "Neg", "Reciprocal", "Relu", "Round"];

const CASES: Readonly<Record<string, TestFile>> = {
  ...Object.fromEntries(
    [...unary, "Sigmoid", "Sin", "Softplus", "Softsign", "Sqrt", "Tanh"].map((op) => [op, one(op)]),
  ),
  "LeakyRelu default": one("LeakyRelu"),
  "Elu alpha": one("Elu", { alpha: 0.3 }),
  "Celu alpha": one("Celu", { alpha: 0.7 }),
  Selu: one("Selu"),
  "HardSigmoid default": one("HardSigmoid"),
  "ThresholdedRelu alpha": one("ThresholdedRelu", { alpha: 0.2 }),
  Shrink: one("Shrink", { lambd: 0.3, bias: 0.1 }),
  "PRelu per channel": one("PRelu", {}, weights({ s: tensor([3, 1, 1]) }), "x s"),
  "Gelu exact": one("Gelu", {}, { opset: 20 }),
  "Gelu tanh": one("Gelu", { approximate: "tanh" }, { opset: 20 }),
  "Gelu of onnxruntime": { nodes: [{ ...node("Gelu", "x"), domain: "com.microsoft" }] },
  "QuickGelu of onnxruntime": { nodes: [{ ...node("QuickGelu", "x"), domain: "com.microsoft" }] },
  "Clip by attributes": one("Clip", { min: float(0), max: float(6) }, { opset: 7 }),
  "Clip by inputs": one("Clip", {}, weights({ a: scalar(-0.5), b: scalar(0.25) }), "x a b"),
  "Clip from above": one("Clip", {}, weights({ b: scalar(0.25) }), "x - b"),
  "Pow of squares": one("Pow", {}, weights({ e: scalar(2) }), "x e"),
  "Pow of an integer exponent": one("Pow", {}, weights({ e: scalar(3, "int64") }), "x e"),
  "Max of three": one("Max", {}, weights({ a: tensor([8]), b: tensor([3, 1, 1]) }), "x a b"),
  "Mean of two": one("Mean", {}, weights({ a: tensor([8]) }), "x a"),
  "Where and Less": {
    nodes: [node("Less", "x a", {}, "p"), node("Where", "p x b")],
    weights: { a: scalar(0.1), b: scalar(-2) },
  },
  "Cast there and back": { nodes: [node("Cast", "x", { to: 11 }, "h"), node("Cast", "h", { to: 1 })], opset: 13 },
  "Softmax of old opsets": one("Softmax", {}, { opset: 11 }),
  "Softmax of old opsets along an axis": one("Softmax", { axis: 2 }, { opset: 11 }),
  "Softmax default": one("Softmax"),
  "LogSoftmax axis": one("LogSoftmax", { axis: 1 }),
  "Conv SAME_UPPER": one(
    "Conv",
    { auto_pad: "SAME_UPPER", strides: [2, 2] },
    weights({ w: tensor([4, 3, 3, 3]) }),
    "x w",
  ),
  "Conv SAME_LOWER": one(
    "Conv",
    { auto_pad: "SAME_LOWER", strides: [3, 3] },
    weights({ w: tensor([4, 3, 4, 4]) }),
    "x w",
  ),
  "Conv VALID, dilated": one(
    "Conv",
    { auto_pad: "VALID", dilations: [2, 2] },
    weights({ w: tensor([4, 3, 3, 3]), b: tensor([4]) }),
    "x w b",
  ),
  "Conv depthwise": one("Conv", { group: 3, pads: [1, 1, 1, 1] }, weights({ w: tensor([3, 1, 3, 3]) }), "x w"),
  ConvTranspose: one(
    "ConvTranspose",
    { strides: [2, 2], output_padding: [1, 1], pads: [1, 1, 1, 1] },
    weights({ w: tensor([3, 2, 3, 3]) }),
    "x w",
  ),
  "MaxPool ceil": one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
  "MaxPool SAME_UPPER": one("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  "AveragePool SAME_UPPER": one("AveragePool", { kernel_shape: [2, 2], strides: [2, 2], auto_pad: "SAME_UPPER" }),
  "AveragePool counting pads": one("AveragePool", { kernel_shape: [3, 3], pads: [1, 1, 1, 1], count_include_pad: 1 }),
  "AveragePool of the whole image": one("AveragePool", { kernel_shape: [8, 8] }),
  GlobalMaxPool: one("GlobalMaxPool"),
  LRN: one("LRN", { size: 3, alpha: 0.01, beta: 0.75, bias: float(1) }),
  "BatchNormalization in inference": one(
    "BatchNormalization",
    { epsilon: 1e-3 },
    weights({ s: tensor([3]), b: tensor([3]), m: tensor([3]), v: tensor([3], [0.5, 1, 2]) }, { opset: 9 }),
    "x s b m v",
  ),
  InstanceNormalization: one("InstanceNormalization", {}, weights({ s: tensor([3]), b: tensor([3]) }), "x s b"),
  "LayerNormalization of two axes": one(
    "LayerNormalization",
    { axis: 2 },
    weights({ s: tensor([8, 8]), b: tensor([8, 8]) }),
    "x s b",
  ),
  LpNormalization: one("LpNormalization", { axis: 1, p: 2 }),
  RMSNormalization: one(
    "RMSNormalization",
    { axis: -1, epsilon: 1e-3 },
    weights({ s: tensor([8]) }, { opset: 23 }),
    "x s",
  ),
  GroupNormalization: one(
    "GroupNormalization",
    { num_groups: 3 },
    weights({ s: tensor([3]), b: tensor([3]) }, { opset: 21 }),
    "x s b",
  ),
  "ReduceMean axes by attribute": one("ReduceMean", { axes: [2, 3], keepdims: 0 }, { opset: 13 }),
  "ReduceMean axes by input": one("ReduceMean", { keepdims: 0 }, weights({ a: ints(-1, -2) }), "x a"),
  ReduceL2: one("ReduceL2", { axes: [1] }, { opset: 13 }),
  ReduceL1: one("ReduceL1", { axes: [1], keepdims: 0 }, { opset: 13 }),
  ReduceMin: one("ReduceMin", { axes: [3] }, { opset: 13 }),
  ReduceProd: one("ReduceProd", { axes: [3] }, { opset: 13 }),
  ReduceLogSumExp: one("ReduceLogSumExp", { axes: [1], keepdims: 0 }, { opset: 13 }),
  "Flatten and Gemm": {
    nodes: [node("Flatten", "x", {}, "f"), node("Gemm", "f w b", { transB: 1, alpha: 0.5, beta: 2.5 })],
    weights: { w: tensor([4, 192]), b: tensor([4]) },
  },
  "MatMul by a matrix and a bias": {
    nodes: [node("MatMul", "x w", {}, "m"), node("Add", "b m")],
    weights: { w: tensor([8, 5]), b: tensor([5]) },
  },
  "MatMul from the left": one("MatMul", {}, weights({ w: tensor([4, 8]) }), "w x"),
  "MatMul by a vector": one("MatMul", {}, weights({ w: tensor([8]) }), "x w"),
  "Einsum of two": one("Einsum", { equation: "nchw,kc->nkhw" }, weights({ w: tensor([4, 3]) }), "x w"),
  "Einsum of attention": {
    nodes: [node("Einsum", "x x", { equation: "b h i d, b h j d -> b h i j" })],
  },
  "Einsum of one": one("Einsum", { equation: "nchw->nwc" }),
  "Transpose default": {
    nodes: [
      node("Flatten", "x", { axis: 2 }, "f"),
      node("Reshape", "f s", {}, "r"),
      node("Transpose", "r", { perm: [0, 2, 1] }),
    ],
    weights: { s: ints(-1, 3, 64) },
  },
  "Squeeze and Unsqueeze by attributes": {
    nodes: [node("Unsqueeze", "x", { axes: [1, 5] }, "u"), node("Squeeze", "u", { axes: [5] })],
    opset: 11,
  },
  "Squeeze of all": {
    nodes: [node("GlobalAveragePool", "x", {}, "g"), node("Squeeze", "g a")],
    weights: { a: ints(2, -1) },
  },
  "Reshape by 0 and -1": one("Reshape", {}, weights({ s: ints(0, -1, 4) }), "x s"),
  "Reshape computed from the shape": {
    nodes: [
      node("Shape", "x", {}, "s"),
      node("Gather", "s zero", {}, "n"),
      node("Unsqueeze", "n axis", {}, "n1"),
      node("Concat", "n1 rest", { axis: 0 }, "target"),
      node("Reshape", "x target"),
    ],
    weights: { zero: scalar(0, "int64"), axis: ints(0), rest: ints(-1, 64) },
  },
  "Shape arithmetic": {
    nodes: [
      node("Shape", "x", {}, "s"),
      node("Slice", "s one two", {}, "c"),
      node("Mul", "c size", {}, "flat"),
      node("Slice", "s zero one", {}, "n"),
      node("Concat", "n flat", { axis: 0 }, "target"),
      node("Reshape", "x target"),
    ],
    weights: { zero: ints(0), one: ints(1), two: ints(2), size: ints(64) },
  },
  "Split by sizes": { nodes: [node("Split", "x s", { axis: 1 }, "a y")], weights: { s: ints(1, 2) } },
  "Split by outputs": { nodes: [node("Split", "x", { axis: 2, num_outputs: 3 }, "a b y")] },
  "Slice by attributes": one("Slice", { starts: [1, -5], ends: [7, 100], axes: [2, 3] }, { opset: 9 }),
  "Slice by steps": one(
    "Slice",
    {},
    weights({ s: ints(0, 7), e: ints(2 ** 31, -100), a: ints(2, 3), t: ints(2, -1) }),
    "x s e a t",
  ),
  "Gather of one": one("Gather", { axis: 1 }, weights({ i: scalar(-1, "int64") }), "x i"),
  "Gather of several": one("Gather", { axis: 3 }, weights({ i: tensor([2, 2], [0, 3, 3, -1], "int64") }), "x i"),
  "GatherND over two axes of a weight": {
    nodes: [node("GatherND", "w i", {}, "g"), node("Add", "x g")],
    weights: { w: tensor([3, 4]), i: tensor([8, 2], [0, 0, 2, 3, 1, -1, 0, 2, 2, 0, 1, 1, -3, 3, 2, 2], "int64") },
  },
  Concat: { nodes: [node("Concat", "x x", { axis: -3 })] },
  "Expand both ways": one("Expand", {}, weights({ s: ints(1, 3, 1, 8) }), "x s"),
  Tile: one("Tile", {}, weights({ r: ints(1, 2, 1, 3) }), "x r"),
  "Pad by attributes": one("Pad", { pads: [0, 0, 1, 2, 0, 0, 0, 1], value: 0.5 }, { opset: 10 }),
  "Pad reflected": one("Pad", { mode: "reflect" }, weights({ p: ints(0, 0, 2, 3, 0, 0, 1, 0) }), "x p"),
  "Pad by the edge": one("Pad", { mode: "edge" }, weights({ p: ints(0, 0, 2, 0, 0, 0, 0, 3) }), "x p"),
  "Pad that cuts": one("Pad", {}, weights({ p: ints(0, 0, -2, 1, 0, 0, 0, -1) }), "x p"),
  "DepthToSpace DCR": {
    nodes: [node("Conv", "x w", {}, "c"), node("DepthToSpace", "c", { blocksize: 2 })],
    weights: { w: tensor([8, 3, 1, 1]) },
  },
  "DepthToSpace CRD": {
    nodes: [node("Conv", "x w", {}, "c"), node("DepthToSpace", "c", { blocksize: 2, mode: "CRD" })],
    weights: { w: tensor([8, 3, 1, 1]) },
  },
  SpaceToDepth: one("SpaceToDepth", { blocksize: 2 }),
  "Resize nearest": one(
    "Resize",
    { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" },
    weights({ s: tensor([4], [1, 1, 2, 1.5]) }),
    "x - s",
  ),
  "Resize nearest, half pixels": one("Resize", { mode: "nearest" }, weights({ z: ints(2, 3, 5, 13) }), "x - - z"),
  "Resize linear": one("Resize", { mode: "linear" }, weights({ s: tensor([4], [1, 1, 2, 2]) }), "x - s"),
  "Resize linear, smaller, corners aligned": one(
    "Resize",
    { mode: "linear", coordinate_transformation_mode: "align_corners" },
    weights({ s: tensor([4], [1, 1, 0.5, 0.75]) }),
    "x - s",
  ),
  "Resize cubic": one(
    "Resize",
    { mode: "cubic", cubic_coeff_a: -0.5 },
    weights({ s: tensor([4], [1, 1, 1.5, 2]) }),
    "x - s",
  ),
  Upsample: one("Upsample", { mode: "nearest" }, weights({ s: tensor([4], [1, 1, 2, 2]) }, { opset: 9 }), "x s"),
  Trilu: one("Trilu", { upper: 0 }, {}, "x"),
  Dropout: { nodes: [node("Dropout", "x", {}, "d"), node("Identity", "d")] },
  "Range and CumSum folded": {
    nodes: [
      node("Range", "a b c", {}, "r"),
      node("CumSum", "r zero", {}, "k"),
      node("Cast", "k", { to: 1 }, "f"),
      node("Add", "x f"),
    ],
    weights: { a: scalar(0, "int64"), b: scalar(8, "int64"), c: scalar(1, "int64"), zero: scalar(0, "int64") },
  },
  "Constant of every form": {
    nodes: [
      node("Constant", "", { value_float: 0.5 }, "a"),
      node("Constant", "", { value: tensor([8]) }, "b"),
      node("Mul", "x a", {}, "m"),
      node("Add", "m b"),
    ].map((n) => ({ ...n, in: n.in.filter((v) => v !== "") })),
  },
  "ConstantOfShape, ScatterND and NonZero folded": {
    nodes: [
      node("ConstantOfShape", "s", { value: tensor([1], [2]) }, "z"),
      node("ScatterND", "z i u", {}, "m"),
      node("NonZero", "m", {}, "k"),
      node("Gather", "k zero", { axis: 0 }, "k0"),
      node("Gather", "x k0", { axis: 3 }, "g"),
      node("Add", "g m"),
    ],
    weights: { s: ints(8), i: tensor([2, 1], [1, 5], "int64"), u: tensor([2], [7, 9]), zero: scalar(0, "int64") },
  },
  "If with a condition that is known": {
    nodes: [
      node("Shape", "x", {}, "s"),
      node("Gather", "s one", {}, "c"),
      node("Equal", "c three", {}, "p"),
      {
        ...node("If", "p", {
          then_branch: graphOf({ nodes: [node("Mul", "x w", {}, "t")], inputs: {}, outputs: ["t"] }),
          else_branch: graphOf({ nodes: [node("Neg", "x", {}, "e")], inputs: {}, outputs: ["e"] }),
        }),
      },
    ],
    weights: { one: scalar(1, "int64"), three: scalar(3, "int64"), w: tensor([8]) },
  },
  "layer norm in elementary operators": {
    nodes: [
      node("ReduceMean", "x", { axes: [-1] }, "mean"),
      node("Sub", "x mean", {}, "d"),
      node("Pow", "d two", {}, "sq"),
      node("ReduceMean", "sq", { axes: [-1] }, "var"),
      node("Add", "var eps", {}, "ve"),
      node("Sqrt", "ve", {}, "sd"),
      node("Div", "d sd", {}, "n"),
      node("Mul", "n g", {}, "ng"),
      node("Add", "ng b"),
    ],
    weights: { two: scalar(2), eps: scalar(1e-5), g: tensor([8]), b: tensor([8]) },
    opset: 11,
  },
  "LayerNormalization by an input of axes and a class token": {
    nodes: [
      node("Flatten", "x", { axis: 2 }, "f0"),
      node("Reshape", "f0 rows", {}, "f"),
      node("Shape", "x", {}, "s"),
      node("Slice", "s zero one", {}, "n"),
      node("Concat", "n ends", { axis: 0 }, "shape"),
      node("Expand", "cls shape", {}, "c"),
      node("Concat", "c f", { axis: 1 }, "y"),
    ],
    weights: { rows: ints(-1, 3, 64), zero: ints(0), one: ints(1), ends: ints(1, 64), cls: tensor([1, 1, 64]) },
  },
  "a batch of one written out": {
    nodes: [
      node("Reshape", "x rows", {}, "r"),
      node("Transpose", "r", { perm: [0, 2, 1] }, "t"),
      node("Concat", "cls t", { axis: 1 }, "c"),
      node("Reshape", "c heads", {}, "h"),
      node("Transpose", "h", { perm: [2, 0, 1, 3] }, "p"),
      node("Reshape", "p back"),
    ],
    weights: { rows: ints(1, 4, -1), cls: tensor([1, 1, 4]), heads: ints(1, 17, 2, 2), back: ints(2, 34) },
    inputs: { x: { dims: [1, 1, 8, 8] } },
    outputs: ["c", "p", "y"],
  },
  "a slice that names the one image": {
    nodes: [node("Slice", "x from to")],
    weights: { from: ints(0, 0, 2, 0), to: ints(1, 1, 7, 8) },
    inputs: { x: { dims: [1, 1, 8, 8] } },
  },
};

const batchOf = (file: TestFile): number => {
  const n = file.inputs?.x.dims[0];
  return typeof n === "number" ? n : 2;
};

async function compare(file: TestFile): Promise<void> {
  const bytes = shuffleNames(onnxFile(file));
  const read = readOnnx(bytes);
  const batch = batchOf(file);
  const x = input("image", "float32", [batch, ...read.image.shape.slice(1)]);
  const values = Float32Array.from({ length: sizeOf(x.shape) }, (_, i) => 0.3 + 0.9 * Math.sin(1 + 0.7 * i * i));
  const outputs = replay([...read.outputs.values()], {
    given: new Map([[read.image, x]]),
    batch,
    statistics: new Set(),
  });
  const found = evaluate(outputs, new Map([["image", { shape: x.shape as Shape, data: Float64Array.from(values) }]]));
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 4 });
  const results = await session.run({ [session.inputNames[0]]: new ort.Tensor("float32", values, [...x.shape]) });
  session.outputNames.forEach((name, k) => {
    const expected = results[name];
    expect(found[k].shape).toEqual(expected.dims);
    toDoubles(expected.data as Float32Array).forEach((v, i) => {
      const y = found[k].data[i];
      if (Number.isFinite(v)) expect(Math.abs(y - v)).toBeLessThan(2e-5 * Math.max(1, Math.abs(v)));
      else expect(y).toBe(v);
    });
  });
  await session.release();
}

describe("operators as files write them compute what the runtime computes", () => {
  it.each(Object.entries(CASES))("%s", async (_, file) => {
    await compare(file);
  });
});

describe("erfc, which tf2onnx writes though it is no operator of ONNX", () => {
  const read = (nodes: readonly TestNode[], weights: TestFile["weights"]) => {
    const { outputs } = readOnnx(shuffleNames(onnxFile({ nodes, weights })));
    return recognise(program("read", outputs)).outputs.get([...outputs.keys()][0]) as Tensor;
  };
  const halves = { half: scalar(0.5), root: scalar(Math.SQRT1_2) };

  it("is 1 - erf", () => {
    const y = read([node("Erfc", "x")], {});
    const x = Float64Array.from({ length: 192 }, (_, i) => Math.sin(i));
    const [found] = evaluate([y], new Map([["image", { shape: [1, 3, 8, 8], data: x }]]));
    const [plain] = evaluate([read([node("Erf", "x")], {})], new Map([["image", { shape: [1, 3, 8, 8], data: x }]]));
    found.data.forEach((v, i) => {
      expect(v).toBeCloseTo(1 - plain.data[i], 12);
    });
  });

  it.each([
    ["-x first", [node("Neg", "x", {}, "n"), node("Mul", "n root", {}, "u")]],
    ["-x second", [node("Neg", "x", {}, "n"), node("Mul", "root n", {}, "u")]],
    ["negated last", [node("Mul", "x root", {}, "v"), node("Neg", "v", {}, "u")]],
  ])("is found in a GELU, %s", (_, argument) => {
    const rest = [node("Erfc", "u", {}, "phi"), node("Mul", "half x", {}, "h"), node("Mul", "h phi")];
    expect(read([...argument, ...rest], halves).node.op).toBe("Gelu");
  });
});
