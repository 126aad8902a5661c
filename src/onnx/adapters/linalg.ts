import { apply, type Tensor } from "../../graph/tensor.ts";
import { type Adapters, type Call, Refusal, withinSamples } from "../call.ts";
import { einsum } from "./einsum.ts";

/** Rows of any leading axes times a matrix: a Gemm, whose gradient is a Gemm too. */
function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank === 1) return matmul(a.unsqueeze(0), b).squeeze(b.rank === 1 ? 0 : b.rank - 2);
  if (b.rank === 1) return matmul(a, b.unsqueeze(1)).squeeze(a.rank - 1);
  withinSamples(a.shape, [a.rank - 1], "MatMul");
  if (b.rank > 2) return a.matmul(b);
  const [k, n] = b.shape;
  const rows = a.reshape([a.size / a.shape[a.rank - 1], a.shape[a.rank - 1]]);
  const [weight, transB] = untransposed(b);
  return k === rows.shape[1]
    ? rows.gemm(weight, undefined, transB ? { transB: 1 } : {}).reshape([...a.shape.slice(0, -1), n])
    : a.matmul(b); // the type rule names both shapes
}

/** W of Wᵀ: exporters write a linear layer as a product with a transposed weight. */
function untransposed(b: Tensor): readonly [Tensor, boolean] {
  const { op, attrs, inputs } = b.node;
  return op === "Transpose" && `${attrs.perm}` === "1,0" ? [inputs[0] as Tensor, true] : [b, false];
}

function gemm(c: Call): Tensor {
  const [a, b, bias] = [c.in(0), c.in(1), c.x[2]];
  const [transA, transB] = [c.int("transA", 0), c.int("transB", 0)];
  if (a.rank === 2) withinSamples(a.shape, [transA ? 0 : 1], "Gemm");
  const [alpha, beta] = [c.float("alpha", 1), c.float("beta", 1)];
  const [weight, turned] = untransposed(b);
  const trans = Number(Boolean(transB) !== turned);
  const attrs = { ...(transA && { transA }), ...(trans && { transB: trans }), ...(alpha !== 1 && { alpha }) };
  const shift = beta === 0 ? undefined : bias && beta !== 1 ? bias.mul(beta) : bias;
  return apply("Gemm", shift ? [a, weight, shift] : [a, weight], attrs);
}

/** a + b; where one is a product without a bias and the other a bias, the product takes it. */
function add(c: Call): Tensor {
  const [a, b] = [c.in(0), c.in(1)];
  return biased(a, b) ?? biased(b, a) ?? a.add(b);
}

function biased(y: Tensor, bias: Tensor): Tensor | undefined {
  const columns = y.shape[y.rank - 1];
  if (bias.rank !== 1 || bias.shape[0] !== columns || bias.dtype !== "float32") return undefined;
  const product = y.node.op === "Reshape" ? (y.node.inputs[0] as Tensor) : y;
  const { op, inputs, attrs } = product.node;
  if (op !== "Gemm" || inputs.length > 2 || product.shape[1] !== columns) return undefined;
  return apply("Gemm", [...inputs, bias], attrs).reshape(y.shape);
}

export const linalg: Adapters = {
  MatMul: (c) => matmul(c.in(0), c.in(1)),
  Gemm: gemm,
  Add: add,
  Einsum: (c) => {
    if (c.x.length > 2) throw new Refusal("Einsum of more than two operands");
    return einsum(c.string("equation", ""), c.x as Tensor[]);
  },
};

/** softmax(Q · Kᵀ · scale + mask) · V of opset 23, without a cache. */
export function attention(c: Call): Tensor {
  const causal = c.int("is_causal", 0) || c.float("softcap", 0) || c.int("qk_matmul_output_mode", 0);
  if (causal || c.x.length > 4 || c.outputs > 1) throw new Refusal("Attention that is causal or keeps a cache");
  const heads = (x: Tensor, count: number): Tensor =>
    x.rank === 4 ? x : x.reshape([x.shape[0], x.shape[1], count, x.shape[2] / count]).transpose([0, 2, 1, 3]);
  const q = heads(c.in(0), c.int("q_num_heads", 1));
  const [k, v] = [1, 2].map((i) => heads(c.in(i), c.int("kv_num_heads", 1)));
  if (q.shape[1] !== k.shape[1]) throw new Refusal("Attention whose heads share keys");
  const scores = q.mul(c.float("scale", 1 / Math.sqrt(q.shape[3]))).matmul(k.mT());
  const mask = c.x[3];
  if (mask?.dtype === "bool") throw new Refusal("Attention with a mask of booleans");
  const y = (mask ? scores.add(mask) : scores).softmax(3).matmul(v);
  const [n, h, l, d] = y.shape;
  return c.in(0).rank === 4 ? y : y.transpose([0, 2, 1, 3]).reshape([n, l, h * d]);
}
