import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { apply, fill, type Node, type Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";
import { nodesOf } from "../walk.ts";

/**
 * Scale and shift of a layer norm as part of the products that read it, where there are more rows than outputs:
 *
 *   (x̂ ⊙ γ + β) · W + b = x̂ · (γ ⊙ W) + (β · W + b).
 *
 * Meant for the forward graph of a training step, before gradients are taken: x̂ is kept for the weights' gradient anyway and the
 * norm's own gradient then reads it instead of making it again; γ's and β's are sums over the weights, not over the tokens.
 */
export function normsIntoProducts(p: Program): Program {
  const { norms, products } = found(p);
  if (norms.size === 0) return p;
  return rewrite(p, (node, inputs, mapped) => {
    if (norms.has(node)) return bare(node, inputs[0] as Tensor);
    const norm = products.get(node);
    if (!norm || !norms.has(norm)) return undefined;
    const [scale, shift] = norm.inputs.slice(1).map((t) => t && mapped(t));
    return [scaledProduct(node, inputs, scale as Tensor, shift)];
  });
}

const widthOf = (norm: Node): number => (norm.inputs[1] as Tensor).size;

/** x̂, and the statistics. */
function bare({ attrs, inputs }: Node, x: Tensor): readonly Tensor[] {
  return apply("LayerNormalization", [x, fill(1, (inputs[1] as Tensor).shape)], attrs).node.outputs;
}

function scaledProduct(node: Node, inputs: readonly (Tensor | undefined)[], scale: Tensor, shift?: Tensor): Tensor {
  const [x, w, b] = inputs as readonly Tensor[];
  const { transB } = node.attrs as { transB?: 0 | 1 };
  const [k, c] = [w.shape[transB ? 1 : 0], scale.size];
  const apart = transB ? [w.shape[0], k / c, c] : [k / c, c, w.shape[1]];
  const scaled = w
    .reshape(apart)
    .mul(transB ? scale : scale.reshape([c, 1]))
    .reshape(w.shape);
  if (!shift) return x.gemm(scaled, b, { transB });
  const row = shift.expand([k / c, c]).reshape([1, k]);
  return x.gemm(scaled, row.gemm(w, b, { transB }), { transB });
}

// --- which norms

interface Found {
  /** Norms that only products read. */
  readonly norms: ReadonlySet<Node>;
  /** Products, and the norm that their rows come from. */
  readonly products: ReadonlyMap<Node, Node>;
}

/** Follows what norms give through operators that move whole runs of channels. */
function found({ outputs }: Program): Found {
  const norms = new Set<Node>();
  const products = new Map<Node, Node>();
  const origin = new Map<Tensor, Node>();
  for (const node of nodesOf(outputs.values())) {
    const from = new Set(node.inputs.flatMap((t) => (t && origin.get(t)) ?? []));
    const [norm] = from;
    if (isScaledNorm(node)) {
      norms.add(node);
      origin.set(node.outputs[0], node);
    }
    if (!norm) continue;
    const every = node.inputs.every((t) => t && origin.get(t) === norm);
    if (every && movesRuns(node, widthOf(norm))) for (const t of node.outputs) origin.set(t, norm);
    else if (isProduct(node, origin)) products.set(node, norm);
    else for (const n of from) norms.delete(n);
  }
  for (const t of outputs.values()) norms.delete(origin.get(t) as Node);
  for (const norm of norms) if (!pays(norm, products)) norms.delete(norm);
  return { norms, products };
}

const isScaledNorm = ({ op, attrs, inputs: [x, scale, shift] }: Node): boolean =>
  op === "LayerNormalization" &&
  attrs.axis === (x as Tensor).rank - 1 &&
  (shift !== undefined || (scale as Tensor).node.op === "Input");

/** Whether element i is of channel i mod C of what it gives, if it was of what it reads. */
function movesRuns({ op, attrs, inputs: [x], outputs: [y] }: Node, c: number): boolean {
  const { shape, rank } = x as Tensor;
  const below = (axis: number): boolean => sizeOf(shape.slice(axis + 1)) % c === 0;
  if (op === "Reshape") return true;
  if (op === "Transpose") return (attrs.perm as number[]).at(-1) === rank - 1 && y.shape[rank - 1] % c === 0;
  if (op === "Slice") return (attrs.axes as number[]).every(below);
  return (op === "Split" || op === "Concat") && below(attrs.axis as number);
}

/** Rows of runs of channels, times weights. */
function isProduct({ op, attrs, inputs: [x, ...others] }: Node, origin: ReadonlyMap<Tensor, Node>): boolean {
  const { transA = 0, alpha = 1, beta = 1 } = attrs as Record<string, number | undefined>;
  const norm = origin.get(x as Tensor);
  const plain = op === "Gemm" && !transA && alpha === 1 && beta === 1;
  return plain && !!norm && (x as Tensor).shape[1] % widthOf(norm) === 0 && others.every((t) => !t || !origin.has(t));
}

/** What is saved is passes over the rows; what it costs, passes over the weights. */
function pays(norm: Node, products: ReadonlyMap<Node, Node>): boolean {
  const weights = [...products].filter(([, n]) => n === norm).map(([{ inputs }]) => (inputs[1] as Tensor).size);
  return weights.reduce((a, b) => a + b, 0) <= (norm.inputs[0] as Tensor).size;
}
