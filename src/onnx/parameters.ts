import type { Node, Tensor } from "../graph/tensor.ts";
import { isFloat, type TensorData } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";

/** What a constant of a file is for. "scale" and "bias" are kept from weight decay. */
export type Role = "weight" | "scale" | "bias" | "mean" | "variance";

/** The smaller ranks first: a constant with several uses takes the strongest. */
const RANK: readonly Role[] = ["weight", "scale", "bias", "mean", "variance"];

const BATCH_NORM: readonly (Role | undefined)[] = [undefined, "scale", "bias", "mean", "variance"];

const PRODUCTS = new Set(["Conv", "ConvTranspose", "Gemm", "MatMul"]);

/**
 * Which of a file's constants are trained, told by what they are used for:
 * - kernels and biases of Conv, ConvTranspose, Gemm and MatMul; scale, bias and running statistics of norms; PRelu's slopes;
 * - what is added to features (biases, position tables), or multiplies them channel by channel (layer scale);
 * - tokens that are joined to those of an image;
 * - all that such tensors are computed from (gathered tables, standardised kernels).
 * Before the first product nothing but these products' weights is trained: constants there prepare the image. Masks
 * (two values, one of them very low) and blurring kernels (all channels alike) stay as they are.
 */
export function rolesOf(outputs: readonly Tensor[], constants: Iterable<Tensor>): Map<Tensor, Role> {
  const graph = new Uses(outputs);
  const roles = new Map<Tensor, Role>();
  for (const t of constants) {
    if (!isFloat(t.dtype)) continue;
    const role = graph.role(t, t, new Set());
    if (role) roles.set(t, role);
  }
  return roles;
}

interface Use {
  readonly node: Node;
  readonly at: number;
}

class Uses {
  readonly #uses = new Map<Tensor, Use[]>();
  /** Nodes that depend on the image. */
  readonly #live = new Set<Node>();
  /** Those of them that come after a product. */
  readonly #features = new Set<Node>();

  constructor(outputs: readonly Tensor[]) {
    for (const node of nodesOf(outputs)) {
      const inputs = node.inputs.filter((t) => t !== undefined);
      if (node.op === "Input" || inputs.some((t) => this.#live.has(t.node))) this.#live.add(node);
      if (this.#live.has(node) && (PRODUCTS.has(node.op) || inputs.some((t) => this.#features.has(t.node))))
        this.#features.add(node);
      node.inputs.forEach((t, at) => {
        if (t) this.#uses.set(t, [...(this.#uses.get(t) ?? []), { node, at }]);
      });
    }
  }

  /** The strongest role that `t`, computed from the constant `root`, has. */
  role(t: Tensor, root: Tensor, seen: Set<Tensor>): Role | undefined {
    if (seen.has(t)) return undefined;
    seen.add(t);
    const roles = new Set((this.#uses.get(t) ?? []).map((use) => this.#roleIn(use, t, root, seen)));
    return RANK.find((r) => roles.has(r));
  }

  #roleIn({ node, at }: Use, t: Tensor, root: Tensor, seen: Set<Tensor>): Role | undefined {
    const { op } = node;
    if (PRODUCTS.has(op)) return this.#inProduct(node, at, t);
    if (op === "BatchNormalization") return BATCH_NORM[at];
    if (op === "LayerNormalization" && at > 0) return at === 1 ? "scale" : "bias";
    if (op === "PRelu" && at === 1) return "scale";
    if (!this.#live.has(node)) return this.#through(node, root, seen);
    return this.#features.has(node) && root.size > 1 ? besideFeatures(op, t, root) : undefined;
  }

  #inProduct(node: Node, at: number, t: Tensor): Role | undefined {
    if (at === 2) return "bias";
    const other = node.inputs[1 - at];
    if (at === 0 && (node.op.startsWith("Conv") || !other || !this.#live.has(other.node))) return undefined;
    return isBlur(node, t) ? undefined : "weight";
  }

  /** What is computed of weights alone. */
  #through(node: Node, root: Tensor, seen: Set<Tensor>): Role | undefined {
    const roles = node.outputs.map((y) => this.role(y, root, seen));
    return RANK.find((r) => roles.includes(r));
  }
}

function besideFeatures(op: string, t: Tensor, root: Tensor): Role | undefined {
  if (op === "Add" || op === "Sub") return isMask(root) ? undefined : "bias";
  if (op === "Mul" || op === "Div") return t.shape.filter((d) => d !== 1).length <= 1 ? "scale" : undefined;
  return op === "Concat" ? "bias" : undefined;
}

const dataOf = (t: Tensor): TensorData["data"] => (t.node.attrs.value as TensorData).data;

/** At most two values, one of them so low that softmax gives it nothing. */
function isMask(t: Tensor): boolean {
  const found = new Set<number>();
  for (const v of dataOf(t)) {
    found.add(Number(v));
    if (found.size > 2) return false;
  }
  return [...found].some((v) => v <= -50);
}

/** A depthwise kernel of positive values that is the same for every channel. */
function isBlur({ op, attrs }: Node, w: Tensor): boolean {
  if (op !== "Conv" || w.node.op !== "Constant" || w.shape[1] !== 1 || w.shape[0] < 2 || attrs.group !== w.shape[0])
    return false;
  const data = dataOf(w);
  const kernel = data.length / w.shape[0];
  return Array.from(data as Float32Array).every((v, i) => v > 0 && v === data[i % kernel]);
}
