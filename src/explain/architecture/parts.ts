import type { Node, Tensor } from "../../graph/tensor.ts";

/** What a box is drawn as. */
export type Kind = "attention" | "norm" | "linear" | "conv" | "activation" | "pool" | "arithmetic" | "module";

/** An operator that a reader of the paper would name. */
export interface Part {
  readonly label: string;
  readonly kind: Kind;
  /** Of attention. */
  readonly heads?: number;
}

const ACTIVATIONS: Readonly<Record<string, string>> = {
  Gelu: "GELU",
  Silu: "SiLU",
  Relu: "ReLU",
  Sigmoid: "sigmoid",
  HardSigmoid: "hard sigmoid",
  HardSwish: "hard swish",
  Tanh: "tanh",
  Softmax: "softmax",
  Clip: "clip",
};
const NORMS: Readonly<Record<string, string>> = { LayerNormalization: "LayerNorm", BatchNormalization: "BatchNorm" };
const POOLS: Readonly<Record<string, string>> = {
  GlobalAveragePool: "average pool",
  AveragePool: "average pool",
  MaxPool: "max pool",
  ReduceMean: "mean",
  ReduceMax: "max",
};
const ARITHMETIC: Readonly<Record<string, string>> = { Add: "+", Mul: "×", Sub: "−", Div: "÷" };

/** The part that a node is; undefined where it only moves values. */
export function partOf(node: Node, onImage: ReadonlySet<Node>): Part | undefined {
  const { op } = node;
  if (op === "Softmax") {
    const { shape } = node.outputs[0];
    return { label: "softmax", kind: "activation", heads: shape.length === 4 ? shape[1] : undefined };
  }
  if (ACTIVATIONS[op]) return { label: ACTIVATIONS[op], kind: "activation" };
  if (NORMS[op]) return { label: NORMS[op], kind: "norm" };
  if (POOLS[op]) return { label: POOLS[op], kind: "pool" };
  if (op === "Conv") return { label: convLabel(node), kind: "conv" };
  if (op === "Gemm" || op === "MatMul") return productPart(node, onImage);
  if (ARITHMETIC[op]) return { label: ARITHMETIC[op], kind: "arithmetic" };
  return undefined;
}

/** A linear layer, or a product of two activations. */
function productPart(node: Node, onImage: ReadonlySet<Node>): Part {
  const [a, b] = node.inputs as readonly Tensor[];
  if (onImage.has(a.node) && onImage.has(b.node)) return { label: "matmul", kind: "arithmetic" };
  const out = node.outputs[0].shape;
  const weight = onImage.has(a.node) ? b : a;
  const width = onImage.has(a.node) ? out[out.length - 1] : out[out.length - 2];
  return { label: `Linear ${weight.size / width} → ${width}`, kind: "linear" };
}

function convLabel({ inputs, attrs }: Node): string {
  const [out, into, ...kernel] = (inputs[1] as Tensor).shape;
  const group = (attrs.group as number | undefined) ?? 1;
  const stride = (attrs.strides as readonly number[] | undefined)?.[0] ?? 1;
  const size = kernel.join("×");
  const channels = group > 1 && into === 1 ? `depthwise ${size}, ${out}` : `${size}, ${into * group} → ${out}`;
  return `Conv ${channels}${stride > 1 ? `, stride ${stride}` : ""}`;
}

const WORDS: Readonly<Record<string, string>> = { mlp: "MLP", attn: "Attention", se: "Squeeze and excite" };

/** Name and second line of a box of parts; `child` is its path below the module that is drawn. */
export function describeParts(
  child: string | undefined,
  parts: readonly Part[],
): { label: string; detail?: string; kind: Kind } {
  const telling = parts.filter((p) => p.kind !== "arithmetic");
  const all = telling.length > 0 ? telling : parts;
  if (child === undefined || all.length === 1)
    return { ...one(all[0]), detail: all[0].kind === "arithmetic" ? undefined : child && lastName(child) };
  const heads = parts.find((p) => p.label === "softmax")?.heads;
  const name = lastName(child);
  if (heads !== undefined || parts.some((p) => p.label === "softmax"))
    return {
      label: word(name),
      detail: heads ? `${heads} ${heads > 1 ? "heads" : "head"}` : undefined,
      kind: "attention",
    };
  const kinds = new Set(all.map((p) => p.kind));
  const detail = chainOf(all);
  if (kinds.size === 1 && new Set(all.map((p) => p.label)).size === 1)
    return { label: `${all.length} × ${all[0].label}`, detail: name, kind: all[0].kind };
  return { label: word(name), detail, kind: kinds.has("conv") ? "conv" : "module" };
}

const one = ({ label, kind }: Part) => ({ label, kind });
const word = (name: string): string => WORDS[name] ?? name;

const lastName = (path: string): string =>
  path
    .split(".")
    .filter((s) => !/^\d+$/.test(s))
    .at(-1) ?? path;

/** At most four parts in a row. */
function chainOf(parts: readonly Part[]): string {
  const labels = parts.map((p) => p.label.replace(/^Linear /, "").replace(/, stride/, " /"));
  return labels.length <= 4 ? labels.join(" · ") : `${labels.slice(0, 2).join(" · ")} · … · ${labels.at(-1)}`;
}
