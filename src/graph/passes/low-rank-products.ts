import type { Program } from "../program.ts";
import { type Rule, rewrite } from "../rewrite.ts";
import type { Tensor } from "../tensor.ts";

/** W + P·A with W [m, n], P [m, r], A [r, n] and r small. */
interface LowRankSum {
  readonly base: Tensor;
  readonly left: Tensor;
  readonly right: Tensor;
}

function lowRankSum(t: Tensor | undefined): LowRankSum | undefined {
  if (t?.node.op !== "Add" || t.rank !== 2) return undefined;
  const [base, product] = t.node.inputs as readonly Tensor[];
  if (product.node.op !== "MatMul" || product.rank !== 2 || `${base.shape}` !== `${product.shape}`) return undefined;
  const [left, right] = product.node.inputs as readonly Tensor[];
  const [[m, r], n] = [left.shape, right.shape[1]];
  return r * (m + n) < m * n ? { base, left, right } : undefined;
}

const RULES: Readonly<Record<string, Rule>> = {
  /** Rows of the sum are sums of rows. */
  Split: ({ attrs }, [x]) => {
    const sum = lowRankSum(x);
    if (!sum || attrs.axis !== 0) return undefined;
    const sizes = attrs.split as readonly number[];
    const lefts = sum.left.split(sizes, 0);
    return sum.base.split(sizes, 0).map((base, i) => base.add(lefts[i].matmul(sum.right)));
  },
  /** x·(W + P·A)ᵀ + c = (x·Aᵀ)·Pᵀ + (x·Wᵀ + c), and without the transposition (x·P)·A + (x·W + c). */
  Gemm: ({ attrs }, [x, weight, c]) => {
    const sum = lowRankSum(weight);
    const { transA = 0, transB = 0, alpha = 1, beta = 1 } = attrs as Record<string, number | undefined>;
    if (!sum || !x || transA || alpha !== 1 || beta !== 1) return undefined;
    const [first, second] = transB ? [sum.right, sum.left] : [sum.left, sum.right];
    const how = { transB: transB ? 1 : 0 } as const;
    return [x.gemm(first, undefined, how).gemm(second, x.gemm(sum.base, c, how), how)];
  },
  MatMul: (_, [x, weight]) => {
    const sum = lowRankSum(weight);
    return sum && x && [x.matmul(sum.base).add(x.matmul(sum.left).matmul(sum.right))];
  },
};

/**
 * Multiplies by the parts of W + P·A instead of their sum, so that neither the sum nor its gradient, both as large as W,
 * are ever computed (Hu et al. 2022, section 4.1). Meant for the forward graph, before gradients are taken.
 */
export const lowRankProducts = (program: Program): Program =>
  rewrite(program, (...node) => RULES[node[0].op]?.(...node));
