import { grad } from "../autodiff/grad.ts";
import type { Node, Tensor } from "../graph/tensor.ts";
import { nodesOf } from "../graph/walk.ts";
import type { Model } from "../models/model.ts";
import type { Size } from "../nn/size.ts";
import { asMaps, outputAt } from "./places.ts";
import type { Inside } from "./subject.ts";

/** Which entries of a tensor are read: from low to high along the two axes that are the image's. */
interface Region {
  readonly axes: Size;
  readonly low: Size;
  readonly high: Size;
}

/** Operators whose every output entry reads the input entries of its own place. */
const POINTWISE = new Set(
  "Add Sub Mul Div Pow Max Min Neg Abs Sign Exp Log Sqrt Reciprocal Erf Tanh Sigmoid Relu Clip HardSigmoid HardSwish Gelu Silu Softplus LeakyRelu Elu PRelu Cast Where Equal Greater GreaterOrEqual Less LessOrEqual And Or Not BatchNormalization Identity".split(
    " ",
  ),
);
const WINDOWED = new Set(["Conv", "MaxPool", "AveragePool"]);
const CHANNELWISE = new Set(["Concat", "Split", "Slice"]);

type Windows = Readonly<Partial<Record<"kernel_shape" | "strides" | "pads" | "dilations", readonly number[]>>>;

/** What a window reads: stride · i - pad to the last tap of the last window. */
function throughWindows({ inputs, attrs }: Node, { axes, low, high }: Region): Region | undefined {
  if (axes[0] !== 2 || axes[1] !== 3) return undefined;
  const { strides = [1, 1], pads = [0, 0, 0, 0], dilations = [1, 1], kernel_shape } = attrs as Windows;
  const kernel = kernel_shape ?? (inputs[1] as Tensor).shape.slice(2);
  const from = (i: 0 | 1) => low[i] * strides[i] - pads[i];
  const to = (i: 0 | 1) => high[i] * strides[i] - pads[i] + dilations[i] * (kernel[i] - 1);
  return { axes, low: [from(0), from(1)], high: [to(0), to(1)] };
}

/** What a sum or mean over `over` reads: all of a spatial axis that it sums. */
function throughReduction(x: Tensor, node: Node, region: Region): Region | undefined {
  const { axes: over, keepdims } = node.attrs as { axes: readonly number[]; keepdims: 0 | 1 };
  if (!keepdims && over.some((a) => a <= region.axes[1])) return undefined;
  const all = (i: 0 | 1) => over.includes(region.axes[i]);
  const last = (i: 0 | 1) => x.shape[region.axes[i]] - 1;
  return {
    axes: region.axes,
    low: [all(0) ? 0 : region.low[0], all(1) ? 0 : region.low[1]],
    high: [all(0) ? last(0) : region.high[0], all(1) ? last(1) : region.high[1]],
  };
}

/** The same place, or the only one where the input is broadcast along an axis. */
function throughPoint(x: Tensor, node: Node, { axes, low, high }: Region): Region | undefined {
  const shape = node.outputs[0].shape;
  if (x.rank !== shape.length) return undefined;
  const one = (i: 0 | 1) => x.shape[axes[i]] === 1 && shape[axes[i]] > 1;
  if (axes.some((a) => x.shape[a] !== shape[a] && x.shape[a] !== 1)) return undefined;
  return {
    axes,
    low: [one(0) ? 0 : low[0], one(1) ? 0 : low[1]],
    high: [one(0) ? 0 : high[0], one(1) ? 0 : high[1]],
  };
}

/** What an input of a node is read for a region of its output; undefined where the operator moves places in another way. */
function regionOf(x: Tensor, node: Node, region: Region): Region | undefined {
  const { op, attrs } = node;
  const { axes, low, high } = region;
  if (WINDOWED.has(op)) return throughWindows(node, region);
  if (POINTWISE.has(op)) return throughPoint(x, node, region);
  if (op.startsWith("Reduce")) return throughReduction(x, node, region);
  if (op === "LayerNormalization") return (attrs.axis as number) > axes[1] ? region : undefined;
  if (op === "Transpose") {
    const perm = attrs.perm as readonly number[];
    const [a, b] = [perm[axes[0]], perm[axes[1]]];
    return a < b ? { axes: [a, b], low, high } : undefined;
  }
  if (op === "Pad") {
    const pads = attrs.pads as readonly number[];
    const [y, z] = [pads[axes[0]], pads[axes[1]]];
    return { axes, low: [low[0] - y, low[1] - z], high: [high[0] - y, high[1] - z] };
  }
  const alongPlaces =
    axes.includes(attrs.axis as number) || [attrs.axes].flat().some((a) => axes.includes(a as number));
  return CHANNELWISE.has(op) && !alongPlaces ? region : undefined;
}

/**
 * Height and width in pixels of all that the entry `at` of maps [N, C, H, W] can depend on, by composition of kernels,
 * strides and paddings; it may be larger than the image. undefined where something else than these moves places:
 * attention, products over tokens.
 */
export function composedField(maps: Tensor, image: Tensor, at: Size): Size | undefined {
  const nodes = nodesOf([maps]);
  const onImage = new Set<Node>();
  for (const node of nodes)
    if (node === image.node || node.inputs.some((t) => t && onImage.has(t.node))) onImage.add(node);
  if (!onImage.has(maps.node)) return undefined;
  const regions = new Map<Node, Region>([[maps.node, { axes: [2, 3], low: at, high: at }]]);
  for (const node of nodes.toReversed()) {
    const region = regions.get(node);
    if (!region || node === image.node) continue;
    for (const x of node.inputs) {
      if (!x || !onImage.has(x.node)) continue;
      const read = regionOf(x, node, region);
      const before = regions.get(x.node);
      const joined = read && before ? join(read, before) : read;
      if (!joined) return undefined;
      regions.set(x.node, joined);
    }
  }
  const { low, high } = regions.get(image.node) as Region;
  return [high[0] - low[0] + 1, high[1] - low[1] + 1];
}

/** The least region that holds two; undefined where they are of other axes. */
function join(a: Region, b: Region): Region | undefined {
  if (`${a.axes}` !== `${b.axes}`) return undefined;
  const least = (i: 0 | 1) => Math.min(a.low[i], b.low[i]);
  const most = (i: 0 | 1) => Math.max(a.high[i], b.high[i]);
  return { axes: a.axes, low: [least(0), least(1)], high: [most(0), most(1)] };
}

/** A place of the model whose receptive field is measured. */
export interface Depth {
  readonly path: string;
  /** What its module gave, [n, C, H, W]. */
  readonly maps: Tensor;
}

/** At most `count` of a list, evenly, its last among them. */
export const spread = <T>(list: readonly T[], count: number): T[] =>
  list.length <= count
    ? [...list]
    : Array.from({ length: count }, (_, i) => list[Math.round(((i + 1) * list.length) / count) - 1]);

/** Modules of these paths that give feature maps. */
export const depthsOf = (model: Model, { outputs }: Pick<Inside, "outputs">, paths: readonly string[]): Depth[] =>
  paths.flatMap((path) => {
    const output = outputAt(outputs, path);
    const maps = output && asMaps(output, model);
    return maps ? [{ path, maps }] : [];
  });

/** The layer that reads the image, then every block: of feature maps made by a list of modules each of the list. */
export function blockPaths(model: Model, { outputs }: Pick<Inside, "outputs">): string[] {
  const first = model.slots.find((s) => s.shape.length === 4 && s.shape[1] === model.inputShape[0]);
  const blocks = model.featureInfo.flatMap(({ module }) => {
    if (outputs.has(module)) return [module];
    const children: string[] = [];
    for (let i = 0; outputs.has(`${module}.${i}`); i++) children.push(`${module}.${i}`);
    return children;
  });
  return first ? [first.name.slice(0, -".weight".length), ...blocks] : blocks;
}

/** Middle of maps [n, C, H, W]. */
export const middleOfMaps = ({ shape: [, , h, w] }: Tensor): Size => [h >> 1, w >> 1];

/** |∂ (sum over channels of a map's middle) / ∂ pixel|, channels summed: [n, H, W]. */
export function middleSlope({ maps }: Depth, image: Tensor): Tensor {
  const [y, x] = middleOfMaps(maps);
  const middle = maps
    .slice(2, y, y + 1)
    .slice(3, x, x + 1)
    .sum();
  return grad(middle, [image])[0].abs().sum([1]);
}

/** The mean over images of values [n, pixels]. */
export function meanOverImages(all: Float32Array, images: number): Float32Array {
  const pixels = all.length / images;
  return Float32Array.from({ length: pixels }, (_, i) => {
    let sum = 0;
    for (let n = 0; n < images; n++) sum += all[n * pixels + i] / images;
    return sum;
  });
}

/** Part of the image that holds 95 % of the field's weight. */
export function areaOf(field: Float32Array): number {
  const sorted = [...field].sort((a, b) => b - a);
  const all = sorted.reduce((a, b) => a + b, 0);
  let [sum, count] = [0, 0];
  while (count < sorted.length && sum < 0.95 * all) sum += sorted[count++];
  return count / sorted.length;
}
