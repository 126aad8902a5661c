import { dtypeOf } from "../../graph/onnx-tensor.ts";
import { apply, constant, type Tensor } from "../../graph/tensor.ts";
import { type DType, isFloat } from "../../graph/types.ts";
import { type Adapter, type Adapters, type Call, scalarOf } from "../call.ts";

/** Our operators of the same name, applied to the operands alone. */
const SAME = [
  ...["Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Exp", "Log", "Sqrt", "Reciprocal", "Sin", "Cos", "Tanh", "Erf"],
  ...["Sigmoid", "Softplus", "Relu", "HardSwish", "Not", "IsNaN", "PRelu"],
  ...["Add", "Sub", "Mul", "Div", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or"],
];

const same: Adapter = ({ op, x }) => apply(op, x);

/** Folds any number of operands by a binary operator. */
const chain =
  (op: string): Adapter =>
  (c) =>
    c.x.slice(1).reduce<Tensor>((a, b) => apply(op, [a, b]), c.in(0));

/** max(low, min(high, x)); an absent bound is none. */
function clip(c: Call): Tensor {
  const x = c.in(0);
  const bound = (i: number, name: string): Tensor | undefined =>
    c.opset < 11 ? (c.has(name) ? constant(c.float(name, 0), [], x.dtype) : undefined) : c.x[i];
  const [low, high] = [bound(1, "min"), bound(2, "max")];
  const floored = low ? x.max(low) : x;
  return high ? floored.min(high) : floored;
}

/** Powers that exporters write for squares and roots; any other exponent stays. */
function pow(c: Call): Tensor {
  const [x, exponent] = [c.in(0), c.in(1)];
  const e = scalarOf(exponent);
  if (e === 1) return x;
  if (e === 2) return x.mul(x);
  if (e === 3) return x.mul(x).mul(x);
  if (e === 0.5) return x.sqrt();
  if (e === -0.5) return x.sqrt().reciprocal();
  return apply("Pow", [x, exponent.dtype === x.dtype ? exponent : recast(exponent, x.dtype)]);
}

/** Every float is a float32 here: weights of half precision train in single. */
export const workingType = (dtype: DType): DType => (isFloat(dtype) ? "float32" : dtype);

const recast = (x: Tensor, dtype: DType): Tensor => x.cast(workingType(dtype));

function cast(c: Call): Tensor {
  const x = c.in(0);
  const to = workingType(dtypeOf(c.int("to", 0), "Cast"));
  // Pixels: an image input of bytes is one of floats here.
  return recast(x, to);
}

/** alpha·(exp(x / alpha·beta) - 1) below zero, x above. */
const exponential = (x: Tensor, alpha: number, inner = 1): Tensor =>
  x.greater(0).where(x, x.min(0).mul(inner).exp().sub(1).mul(alpha));

/** 1 - erf(x); erfc(-u) = 1 + erf(u), the form that GELUs are found by. No operator of ONNX: tf2onnx writes it all the same. */
function erfc(c: Call): Tensor {
  const x = c.in(0);
  const u = negated(x);
  return u ? u.erf().add(1) : x.erf().neg().add(1);
}

/** u of -u, or of (-v)·s with u = v·s. */
function negated({ node }: Tensor): Tensor | undefined {
  const [a, b] = node.inputs as readonly Tensor[];
  if (node.op === "Neg") return a;
  if (node.op !== "Mul") return undefined;
  if (a.node.op === "Neg") return (a.node.inputs[0] as Tensor).mul(b);
  return b.node.op === "Neg" ? (b.node.inputs[0] as Tensor).mul(a) : undefined;
}

function gelu(c: Call): Tensor {
  const x = c.in(0);
  return c.string("approximate", "none") === "tanh" ? x.geluTanh() : x.gelu();
}

function where(c: Call): Tensor {
  const [p, a, b] = [c.in(0), c.in(1), c.in(2)];
  return apply("Where", [p, a, b.dtype === a.dtype ? b : recast(b, a.dtype)]);
}

function mod(c: Call): Tensor {
  const [a, b] = [c.in(0), c.in(1)];
  return isFloat(a.dtype) ? a.sub(a.div(b).floor().mul(b)) : apply("Mod", [a, b]);
}

export const elementwise: Adapters = {
  ...Object.fromEntries(SAME.map((op) => [op, same])),
  Max: chain("Max"),
  Min: chain("Min"),
  Sum: chain("Add"),
  Mean: (c) => (chain("Add")(c) as Tensor).mul(1 / c.x.length),
  Xor: (c) => apply("Not", [apply("Equal", [c.in(0), c.in(1)])]),
  Mod: mod,
  Pow: pow,
  Clip: clip,
  Cast: cast,
  CastLike: (c) => recast(c.in(0), c.in(1).dtype),
  Where: where,
  Erfc: erfc,
  Gelu: gelu,
  HardSigmoid: (c) => c.in(0).hardSigmoid(c.float("alpha", 0.2), c.float("beta", 0.5)),
  LeakyRelu: (c) => apply("LeakyRelu", [c.in(0)], { alpha: c.float("alpha", 0.01) }),
  Elu: (c) => apply("Elu", [c.in(0)], { alpha: c.float("alpha", 1) }),
  Celu: (c) => exponential(c.in(0), c.float("alpha", 1), 1 / c.float("alpha", 1)),
  Selu: (c) => exponential(c.in(0), c.float("alpha", 1.6732631921768188)).mul(c.float("gamma", 1.0507010221481323)),
  ThresholdedRelu: (c) => c.in(0).greater(c.float("alpha", 1)).where(c.in(0), 0),
  Softsign: (c) => c.in(0).div(c.in(0).abs().add(1)),
  /** x · tanh(softplus(x)) (Misra 2019). */
  Mish: (c) => c.in(0).mul(c.in(0).softplus().tanh()),
  /** x · sigmoid(alpha · x). */
  Swish: (c) => c.in(0).mul(scaled(c.in(0), c.float("alpha", 1)).sigmoid()),
  Shrink: (c) => {
    const [x, bias, lambd] = [c.in(0), c.float("bias", 0), c.float("lambd", 0.5)];
    return x.less(-lambd).where(x.add(bias), x.greater(lambd).where(x.sub(bias), 0));
  },
};

const scaled = (x: Tensor, s: number): Tensor => (s === 1 ? x : x.mul(s));

/** Operators of onnxruntime's own domain that its optimizer writes in the place of standard ones. */
export const contributed: Adapters = {
  Gelu: (c) => c.in(0).gelu(),
  QuickGelu: (c) => c.in(0).mul(scaled(c.in(0), c.float("alpha", 1.702)).sigmoid()),
  BiasGelu: (c) => c.in(0).add(c.in(1)).gelu(),
  FastGelu: (c) => (c.x[1] ? c.in(0).add(c.in(1)) : c.in(0)).geluTanh(),
};
