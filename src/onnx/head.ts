import { concat, type Node, type Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";

/** The classifier at the end of a graph. */
export interface Head {
  /** [N, K]: what the last layer gives, before any softmax. */
  readonly logits: Tensor;
  /** [N, D]: what the last layer reads; absent where the end of the graph is no linear layer. */
  readonly features?: Tensor;
  /** Operators after the logits that training leaves out: "Softmax", "Sigmoid"... */
  readonly dropped: readonly string[];
}

const ENDINGS = new Set(["Softmax", "LogSoftmax", "Sigmoid"]);

/** One vector an image: [N, K] whatever axes of one element stand beside. */
function asRows(t: Tensor): Tensor | undefined {
  const wide = t.shape.slice(1).filter((d) => d !== 1);
  if (t.shape[0] !== -1 || wide.length > 1) return undefined;
  return t.rank === 2 ? t : t.reshape([-1, sizeOf(t.shape.slice(1))]);
}

/** Is the tensor's data that of the node's first input, in another shape? */
const reshapes = (node: Node): boolean => node.op === "Reshape";

/** Finds logits and features behind an output; undefined where the output is no vector of scores an image. */
export function findHead(output: Tensor): Head | undefined {
  const dropped: string[] = [];
  let t = output;
  // Shapes around a softmax do not matter: rows are restored at the end.
  for (let at = t; ; at = at.node.inputs[0] as Tensor) {
    if (ENDINGS.has(at.node.op)) {
      dropped.push(at.node.op);
      t = at.node.inputs[0] as Tensor;
    } else if (!reshapes(at.node)) break;
  }
  const logits = asRows(t);
  if (logits?.dtype !== "float32") return undefined;
  return { logits, features: featuresOf(t), dropped };
}

/** What a linear layer at the end reads, as rows. */
function featuresOf(t: Tensor): Tensor | undefined {
  const { op, inputs } = t.node;
  const [a, b] = inputs as readonly Tensor[];
  if (reshapes(t.node)) return featuresOf(a);
  if (op === "Gemm") return !isLive(b) && !t.node.attrs.transA && a.shape[0] === -1 ? a : undefined;
  if (op === "Conv") return isLive(b) ? undefined : convFeatures(t.node);
  if (op === "Relu") return a.node.op === "Conv" ? undefined : featuresOf(a);
  if (op === "ReduceMean" && `${t.node.attrs.axes}` === "2,3") return pooledConv(a);
  if (op !== "Add" && op !== "Sub" && op !== "Mul" && op !== "Div") return undefined;
  if (!isLive(b)) return featuresOf(a);
  if (!isLive(a)) return op === "Div" ? undefined : featuresOf(b);
  return op === "Add" ? both(featuresOf(a), featuresOf(b)) : undefined;
}

/** Two heads whose scores are added: one head on both features. */
const both = (a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined => a && b && concat([a, b], 1);

/** A convolution whose kernel covers its image is a linear layer. */
function convFeatures({ inputs, outputs, attrs }: Node): Tensor | undefined {
  const [x] = inputs as readonly Tensor[];
  const one = outputs[0].shape[2] === 1 && outputs[0].shape[3] === 1;
  return one && attrs.group === 1 ? x.reshape([-1, sizeOf(x.shape.slice(1))]) : undefined;
}

/** A 1x1 convolution before global pooling, as SqueezeNet ends: the pooled features before it. */
function pooledConv(t: Tensor): Tensor | undefined {
  const source = t.node.op === "Relu" ? (t.node.inputs[0] as Tensor) : t;
  const [x, w] = source.node.inputs as readonly Tensor[];
  if (source.node.op !== "Conv" || w.shape[2] !== 1 || w.shape[3] !== 1 || source.node.attrs.group !== 1)
    return undefined;
  return x.mean([2, 3]);
}

/** Does the tensor depend on an image? */
const isLive = (t: Tensor): boolean => nodesOf([t]).some((n) => n.op === "Input" && n.attrs.name === "image");
