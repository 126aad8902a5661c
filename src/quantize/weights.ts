import { constantValue } from "../graph/evaluate.ts";
import type { Program } from "../graph/program.ts";
import { constantData, type Node, type Tensor } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";
import { isConstant } from "./fold.ts";

/** Axis of the output channels in a product's weight; undefined where the node is no product with a constant weight. */
export function channelAxis({ op, inputs, attrs }: Node): number | undefined {
  const [, w, b] = inputs;
  if (!isConstant(w) || (b && !(isConstant(b) && b.rank === 1))) return undefined;
  if (op === "Conv") return 0;
  if (op === "MatMul" && w.rank === 2) return 1;
  if (op !== "Gemm" || attrs.transA || (attrs.alpha ?? 1) !== 1 || (attrs.beta ?? 1) !== 1) return undefined;
  return attrs.transB ? 0 : 1;
}

/** Products with constant weights, all but the last. */
export const products = ({ outputs }: Program): Set<Node> =>
  new Set(
    nodesOf(outputs.values())
      .filter((node) => channelAxis(node) !== undefined)
      .slice(0, -1),
  );

export interface ByChannel {
  readonly weight: Tensor;
  readonly scales: Tensor;
  readonly axis: number;
}

/**
 * A product's weight as signed bytes with a scale for each output channel, symmetric about 0. Where the bias would not
 * fit 31 bits of its step (the scale of the input times the channel's) the channel's scale grows.
 */
export function byChannel(
  node: Node,
  { bits, bias, scale = 1 }: { bits: 7 | 8; bias?: Float64Array; scale?: number },
): ByChannel {
  const axis = channelAxis(node) as number;
  const { shape, data } = constantValue((node.inputs[1] as Tensor).node);
  const most = 2 ** (bits - 1) - 1;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const channel = (i: number): number => Math.floor(i / inner) % shape[axis];
  const peaks = new Float64Array(shape[axis]);
  data.forEach((v, i) => {
    peaks[channel(i)] = Math.max(peaks[channel(i)], Math.abs(v));
  });
  const scales = Float32Array.from(peaks, (peak, c) =>
    Math.max(peak / most, Math.abs(bias?.[c] ?? 0) / (2 ** 30 * scale), 1e-30),
  );
  const weight = Int8Array.from(data, (v, i) => Math.min(most, Math.max(-most, Math.round(v / scales[channel(i)]))));
  return {
    weight: constantData({ dtype: "int8", shape, data: weight }),
    scales: constantData({ dtype: "float32", shape: [shape[axis]], data: scales }),
    axis,
  };
}

/**
 * What the rounding of a weight adds to each output channel on average, Σᵢ (ŵ - w)ᵢ · E[xᵢ] over its inputs i, from the
 * means of the input's channels (Nagel et al. 2019, arXiv:1906.04721, section 4.2; padding left out of account). Subtracted
 * from the bias.
 */
export function meanShift(node: Node, { weight, scales, axis }: ByChannel, means: Float64Array): Float64Array {
  const { shape, data } = constantValue((node.inputs[1] as Tensor).node);
  const [rounded, steps] = [constantValue(weight.node).data, constantValue(scales.node).data];
  const channels = shape[axis];
  const inner = sizeOf(shape.slice(axis + 1));
  const area = node.op === "Conv" ? sizeOf(shape.slice(2)) : 1;
  const perGroup = node.op === "Conv" ? channels / (node.attrs.group as number) : channels;
  // Conv: w [O, I / groups, ...]; else [I, O], or [O, I] with transB.
  const inputOf = (i: number, o: number): number =>
    axis === 1 ? Math.floor(i / channels) : Math.floor(o / perGroup) * shape[1] + (Math.floor(i / area) % shape[1]);
  const shift = new Float64Array(channels);
  data.forEach((v, i) => {
    const o = Math.floor(i / inner) % channels;
    shift[o] += (rounded[i] * steps[o] - v) * means[inputOf(i, o)];
  });
  return shift;
}
