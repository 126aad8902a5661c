import { TesseraeError } from "../errors.ts";
import { constantValue } from "../graph/evaluate.ts";
import { type Program, program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { apply, applyAll, constantData, type Node, type Tensor } from "../graph/tensor.ts";
import { nodesOf } from "../graph/walk.ts";
import { foldConstants, foldNorms, isConstant, readersOf } from "./fold.ts";
import type { Observed, Range } from "./ranges.ts";
import { byChannel, meanShift, products } from "./weights.ts";

/** Where a program is quantized: weights of its products, and the tensors around them. */
export interface Plan {
  /** Constants and norms folded. */
  readonly program: Program;
  /** Tensors that become bytes, by a name for their range. */
  readonly points: ReadonlyMap<string, Tensor>;
  /** The same program with the points as its outputs: what is run on calibration images. */
  readonly observed: Program;
  /** Activations that a range from 0 replaces. */
  readonly absorbed: ReadonlySet<Node>;
}

/** Activations that only clip: bytes of a range that begins at 0 clip as well. */
const CLIPS = new Set(["Relu", "Max", "Min"]);

/**
 * Plans static quantization. Convolutions read and give bytes, sums of two such stay bytes, other products read bytes
 * and give floats; norms, softmax and other activations stay floats, and so do products of two activations and the last
 * product before the outputs, on which the accuracy hangs most.
 */
export function planStatic(original: Program): Plan {
  const folded = foldNorms(foldConstants(original));
  const readers = readersOf(folded);
  const quantized = products(folded);
  const points = new Set<Tensor>();
  const absorbed = new Set<Node>();
  for (const node of nodesOf(folded.outputs.values())) {
    if (quantized.has(node)) {
      points.add(node.inputs[0] as Tensor);
      if (node.op === "Conv") points.add(clipped(node.outputs[0], readers, absorbed));
    } else if (node.op === "Add" && node.inputs.every((t) => t && points.has(t)))
      points.add(clipped(node.outputs[0], readers, absorbed));
  }
  const named = new Map([...points].map((t, i) => [`range${i}`, t]));
  return { program: folded, points: named, observed: program("observed", named), absorbed };
}

/** The tensor behind the clipping that alone reads t. */
function clipped(t: Tensor, readers: ReadonlyMap<Tensor, readonly Node[]>, absorbed: Set<Node>): Tensor {
  const next = readers.get(t);
  if (next?.length !== 1 || !CLIPS.has(next[0].op)) return t;
  const [node] = next;
  const [, bound] = node.inputs;
  if (node.inputs[0] !== t || (bound && !(isConstant(bound) && bound.size === 1))) return t;
  if (node.op === "Max" && constantValue((bound as Tensor).node).data[0] !== 0) return t;
  absorbed.add(node);
  return clipped(node.outputs[0], readers, absorbed);
}

/** Bytes for a range with 0 in it. */
function bytesFor({ low, high }: Range): { scale: number; zero: number } {
  const [a, b] = [Math.min(low, 0), Math.max(high, 0)];
  const scale = Math.fround((b - a) / 255 || 1);
  return { scale, zero: Math.min(255, Math.max(0, Math.round(-a / scale))) };
}

const scalar = (dtype: "float32" | "uint8", value: number): Tensor =>
  constantData({ dtype, shape: [], data: dtype === "uint8" ? Uint8Array.of(value) : Float32Array.of(value) });

/**
 * The planned program in QDQ form: activations as bytes of one scale, weights as signed bytes by output channel, biases
 * as integers of the product of both scales. `bits` of a weight: 7 keeps the sums of two products within 16 bits, on
 * which processors without dot-product instructions of bytes saturate. Throws TesseraeError("internal") for a point without a range.
 */
export function quantizeStatic(
  { program: folded, points, absorbed }: Plan,
  observed: ReadonlyMap<string, Observed>,
  bits: 7 | 8,
): Program {
  const scales = new Map<Tensor, { scale: number; zero: number; means: Float64Array }>();
  for (const [name, t] of points) {
    const range = observed.get(name);
    if (!range) throw new TesseraeError("internal", `no range for ${name}`);
    const pooled = t.node.op === "MaxPool" ? scales.get(t.node.inputs[0] as Tensor) : undefined;
    scales.set(t, { ...(pooled ?? bytesFor(range)), means: range.means });
  }
  const quantized = products(folded);
  const inputs = new Map<Tensor, Tensor>();
  const asBytes = (original: Tensor, t: Tensor): Tensor => {
    const found = scales.get(original);
    if (!found) return t;
    const [s, z] = [scalar("float32", found.scale), scalar("uint8", found.zero)];
    return apply("DequantizeLinear", [apply("QuantizeLinear", [t, s, z]), s, z]);
  };
  const operand = (t: Tensor | undefined): Tensor | undefined => {
    if (t?.node.op !== "Input") return t;
    const known = inputs.get(t) ?? asBytes(t, t);
    inputs.set(t, known);
    return known;
  };
  return rewrite(folded, (node, mapped) => {
    if (node.op === "Constant") return undefined;
    const x = mapped.map(operand);
    const read = scales.get(node.inputs[0] as Tensor);
    const made = absorbed.has(node)
      ? [x[0] as Tensor]
      : quantized.has(node) && read
        ? [product(node, x, read, bits)]
        : applyAll(node.op, x, node.attrs);
    return made.map((t, i) => asBytes(node.outputs[i], t));
  });
}

/** A product with its weight and bias as integers; the bias makes up for what rounding the weight adds on average. */
function product(
  node: Node,
  [x, , b]: readonly (Tensor | undefined)[],
  { scale, means }: { scale: number; means: Float64Array },
  bits: 7 | 8,
): Tensor {
  const bias = b && constantValue(b.node).data;
  const made = byChannel(node, { bits, bias, scale });
  const { weight, scales, axis } = made;
  const zeros = constantData({ dtype: "int8", shape: scales.shape, data: new Int8Array(scales.size) });
  const w = apply("DequantizeLinear", [weight, scales, zeros], { axis });
  if (!b || !bias) return apply(node.op, [x, w], node.attrs);
  const shift = meanShift(node, made, means);
  const steps = Float32Array.from(constantValue(scales.node).data, (s) => s * scale);
  const whole = constantData({
    dtype: "int32",
    shape: b.shape,
    data: Int32Array.from(bias, (v, c) => Math.round((v - shift[c]) / steps[c])),
  });
  const none = constantData({ dtype: "int32", shape: b.shape, data: new Int32Array(steps.length) });
  const sizes = constantData({ dtype: "float32", shape: b.shape, data: steps });
  return apply(node.op, [x, w, apply("DequantizeLinear", [whole, sizes, none], { axis: 0 })], node.attrs);
}
