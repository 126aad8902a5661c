import { type Attrs, defineOp, opDef } from "../graph/op.ts";
import { apply, type ConvAttrs, constant, type Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { nd, transpose } from "./ndarray.ts";

/**
 * Operators of onnxruntime's own layout for convolutions on processors: images [N, C, H, W] lie in memory as
 * [N, C / B, H, W, B], where B, the channels of a vector register, depends on the processor. Shapes stay those of the plain
 * layout. Never exported: the pass "blocked-convolutions" writes them for the machine that runs them.
 */
const DOMAIN = "com.microsoft.nchwc";

interface Blocked {
  /** B. */
  readonly block: number;
}

/** Memory order of plain element i of a [rows, C, pixels] image: [rows, C / B, pixels, B]. */
function blockedIndex(shape: Shape, block: number): (i: number) => number {
  const pixels = sizeOf(shape.slice(2));
  return (i) => {
    const channel = Math.floor(i / pixels); // row · C + c: B divides C
    return (Math.floor(channel / block) * pixels + (i % pixels)) * block + (channel % block);
  };
}

function toBlocks({ shape, data }: NdArray, block: number): NdArray {
  const at = blockedIndex(shape, block);
  const out = nd(shape);
  data.forEach((v, i) => {
    out.data[at(i)] = v;
  });
  return out;
}

function fromBlocks({ shape, data }: NdArray, block: number): NdArray {
  const at = blockedIndex(shape, block);
  return nd(
    shape,
    data.map((_, i) => data[at(i)]),
  );
}

interface Reorder extends Blocked {
  /** Whether the plain side is [N, H, W, C]. */
  readonly channels_last?: 0 | 1;
}

const LAST = [0, 2, 3, 1];
const FIRST = [0, 3, 1, 2];
const permuted = (shape: Shape, perm: readonly number[]): Shape => perm.map((i) => shape[i]);

/** Plain to blocked. */
defineOp<Reorder>("ReorderInput", {
  domain: DOMAIN,
  hostAttrs: ["block"],
  type: ([x], { channels_last }) => (channels_last ? { ...x, shape: permuted(x.shape, FIRST) } : x),
  evaluate: ([x], { block, channels_last }) => toBlocks(channels_last ? transpose(x, FIRST) : x, block),
  check: [],
});

/** Blocked to plain. */
defineOp<Reorder & { channels: number }>("ReorderOutput", {
  domain: DOMAIN,
  hostAttrs: ["block"],
  type: ([x], { channels_last }) => (channels_last ? { ...x, shape: permuted(x.shape, LAST) } : x),
  evaluate: ([x], { block, channels_last }) => {
    const y = fromBlocks(x, block);
    return channels_last ? transpose(y, LAST) : y;
  },
  check: [],
});

/**
 * Conv of a blocked image (of a plain one with fewer than B channels) to a blocked one. Weights [O, C/group, kH, kW] lie in
 * memory as [O / B, C / B, kH, kW, B of C, B of O]; with plain images, or one channel a group, as [O / B, C, kH, kW, B].
 */
defineOp<ConvAttrs & Blocked & Attrs>("BlockedConv", {
  domain: DOMAIN,
  onnxName: "Conv",
  hostAttrs: ["block"],
  type: (x, attrs) => opDef("Conv").type(x, attrs),
  evaluate: ([x, w, b], { block, ...attrs }, types) => {
    const image = x.shape[1] < block ? x : fromBlocks(x, block);
    const y = opDef("Conv").evaluate([image, plainWeights(w, block, x.shape[1] < block), b], attrs, types) as NdArray;
    return toBlocks(y, block);
  },
  macs: (x, attrs, y) => opDef("Conv").macs?.(x, attrs, y) ?? 0,
  check: [],
});

function plainWeights(w: NdArray, block: number, plainImage: boolean): NdArray {
  const [, c, kh, kw] = w.shape;
  const inner = c === 1 || plainImage ? 1 : block;
  const [outer, taps] = [c / inner, kh * kw];
  const out = nd(w.shape);
  for (let i = 0; i < out.data.length; i++) {
    const [oi, ci, q] = [Math.floor(i / (c * taps)), Math.floor(i / taps) % c, i % taps];
    const row = (Math.floor(oi / block) * outer + Math.floor(ci / inner)) * taps + q;
    out.data[i] = w.data[(row * inner + (ci % inner)) * block + (oi % block)];
  }
  return out;
}

// --- building them

/** Whole blocks of channels stay together when images [N, C, H, W] are read as [1, N·C, H, W]: reordered once for both. */
export function reorderInput(x: Tensor, block: number): Tensor {
  const [, , h, w] = x.shape;
  const source = x.node.op === "Reshape" ? (x.node.inputs[0] as Tensor) : x;
  const [n, c, ...pixels] = source.shape;
  const same = source.rank > 2 && c % block === 0 && sizeOf(pixels) === h * w;
  const images = same ? source.reshape([n, c, h, w]) : x;
  const last = channelsLast(images);
  return apply("ReorderInput", [last ?? images], { block, ...(last && { channels_last: 1 }) }).reshape(x.shape);
}

/** The images [N, H, W, C] of which x [N, C, H, W] is the transpose: tokens [N, H·W, C], or images as they are. */
function channelsLast(x: Tensor): Tensor | undefined {
  const [n, c, h, w] = x.shape;
  const { op, attrs, inputs } = x.node.op === "Reshape" ? (x.node.inputs[0] as Tensor).node : x.node;
  const y = inputs[0] as Tensor;
  const perm = op === "Transpose" ? String(attrs.perm) : "";
  const moved = perm === String(FIRST) || (perm === "0,2,1" && y.shape[0] === n && y.shape[2] === c);
  return moved && y.shape.at(-1) === c ? y.reshape([n, h, w, c]) : undefined;
}

/** The transpose to [N, H, W, C] or [N, H·W, C] of images that come out of blocks, in one step; undefined if it is none. */
export function reorderedLast(x: Tensor, perm: readonly number[]): Tensor | undefined {
  const flat = String(perm) === "0,2,1" && x.node.op === "Reshape";
  const images = flat ? (x.node.inputs[0] as Tensor) : x;
  const { op, inputs, attrs } = images.node;
  const [n, c, h, w] = images.shape;
  if (op !== "ReorderOutput" || attrs.channels_last) return undefined;
  if (flat ? x.shape[0] !== n || x.shape[1] !== c : String(perm) !== String(LAST)) return undefined;
  const y = apply("ReorderOutput", inputs, { ...attrs, channels_last: 1 });
  return flat ? y.reshape([n, h * w, c]) : y;
}

export const reorderOutput = (x: Tensor, block: number): Tensor =>
  apply("ReorderOutput", [x], { block, channels: x.shape[1] });

/**
 * Plain weights in the order that BlockedConv reads: matrices are turned first, as images are brought into blocks, then runs
 * of B; 0.2 to 0.4 of the time of one transpose.
 */
export function blockedWeights(w: Tensor, block: number, plainImage: boolean): Tensor {
  const [o, c, kh, kw] = w.shape;
  if (w.node.op === "AdjointWeights" && c > 1 && !plainImage) return blockedAdjoint(w.node.inputs[0] as Tensor, block);
  const turned = reorderInput(w.reshape([1, o, c * kh, kw]), block);
  if (plainImage || c === 1) return turned.reshape(w.shape);
  return turned
    .reshape([(o / block) * (c / block), block, kh * kw, block])
    .transpose([0, 2, 1, 3])
    .reshape(w.shape);
}

/**
 * Blocked adjoint of weights [O, C, kH, kW]: taps go outermost, then runs of B of C beside those of O, then whole blocks
 * [B of O, B of C] to their places. Many small matrices [B, taps] would each be spread over the runtime's threads: 28 ms for
 * 512 x 512 x 3 x 3 on two threads, where one matrix of all takes 0.9.
 */
function blockedAdjoint(w: Tensor, block: number): Tensor {
  const [o, c, kh, kw] = w.shape;
  const [outer, inner, taps] = [o / block, c / block, kh * kw];
  // Block (C, O, tap) from where (last tap - tap, O, C) lies.
  const places = Array.from({ length: inner * outer * taps }, (_, i) => {
    const [ci, oi, q] = [Math.floor(i / (outer * taps)), Math.floor(i / taps) % outer, i % taps];
    return ((taps - 1 - q) * outer + oi) * inner + ci;
  });
  return w
    .reshape([o * c, taps])
    .transpose([1, 0])
    .reshape([taps * outer, block, inner, block])
    .transpose([0, 2, 1, 3])
    .reshape([places.length, block * block])
    .gather(constant(places, [places.length], "int64"), 0)
    .reshape([c, o, kh, kw]);
}

/** Images [N, C, H, W] to [N, O, h, w], both plain, convolved in blocks. */
export function convInBlocks(x: Tensor, w: Tensor, bias: Tensor | undefined, attrs: ConvAttrs, block: number): Tensor {
  const plainImage = x.shape[1] < block;
  const image = plainImage ? x : reorderInput(x, block);
  const inputs = [image, blockedWeights(w, block, plainImage), bias];
  return reorderOutput(apply("BlockedConv", bias ? inputs : inputs.slice(0, 2), { ...attrs, block }), block);
}

/**
 * Windows of s x t pixels as rows [N·H·W, B], s·t·C numbers of pixel after pixel and then zeros, by a convolution whose weights
 * are ones where a number goes: 0.5 ms for 16 x 3 x 224² on two threads, where transposes on one take 11. x [N, C, ...] is
 * plain; s·t·C is B at most.
 */
export function windowRows(x: Tensor, strides: readonly number[], pads: readonly number[], block: number): Tensor {
  const [s, t] = strides;
  const c = x.shape[1];
  // In memory [C, s, t, B].
  const ones = Array.from({ length: c * s * t * block }, (_, i) => {
    const [ci, q, to] = [Math.floor(i / (s * t * block)), Math.floor(i / block) % (s * t), i % block];
    return Number(to === q * c + ci);
  });
  const y = apply("BlockedConv", [x, constant(ones, [block, c, s, t])], { strides, pads, block });
  return y.reshape([y.size / block, block]);
}

/**
 * Depthwise ConvTranspose as a convolution over dY [N, C, h, v] with zeros between its pixels, which are put there in blocks:
 * 0.4-0.9 of the time. Weights [C, 1, kH, kW]. Undefined where the windows leave padding unseen.
 */
export function transposedInBlocks(
  dy: Tensor,
  w: Tensor,
  [H, W]: readonly number[],
  { strides, pads, dilations }: Required<Pick<ConvAttrs, "strides" | "pads" | "dilations">>,
  block: number,
): Tensor | undefined {
  const [n, c, h, v] = dy.shape;
  const [s, t] = strides;
  const before = [0, 1].map((i) => dilations[i] * (w.shape[i + 2] - 1) - pads[i]);
  const after = [H + pads[0] - h * s, W + pads[1] - v * t];
  if ([...before, ...after].some((p) => p < 0)) return undefined;
  const spread = reorderInput(dy, block)
    .reshape([(n * c * h) / block, 1, v, 1, block])
    .pad([
      [0, 0],
      [0, s - 1],
      [0, 0],
      [0, t - 1],
      [0, 0],
    ])
    .reshape([n, c, h * s, v * t]);
  const weights = blockedWeights(apply("AdjointWeights", [w], { group: c }), block, false);
  const attrs = { pads: [...before, ...after], dilations, group: c, block };
  return reorderOutput(apply("BlockedConv", [spread, weights], attrs), block);
}
