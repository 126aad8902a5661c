import { type Attrs, defineOp, opDef } from "../graph/op.ts";
import { apply, type ConvAttrs, type Tensor } from "../graph/tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { nd } from "./ndarray.ts";

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

/** Plain to blocked. */
defineOp<Blocked>("ReorderInput", {
  domain: DOMAIN,
  hostAttrs: ["block"],
  type: ([x]) => x,
  evaluate: ([x], { block }) => toBlocks(x, block),
  check: [],
});

/** Blocked to plain. */
defineOp<Blocked & { channels: number }>("ReorderOutput", {
  domain: DOMAIN,
  hostAttrs: ["block"],
  type: ([x]) => x,
  evaluate: ([x], { block }) => fromBlocks(x, block),
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
  const source = x.node.op === "Reshape" ? (x.node.inputs[0] as Tensor) : x;
  const [, c, h, w] = source.shape;
  const same = source.rank === 4 && c % block === 0 && h === x.shape[2] && w === x.shape[3];
  return apply("ReorderInput", [same ? source : x], { block }).reshape(x.shape);
}

export const reorderOutput = (x: Tensor, block: number): Tensor =>
  apply("ReorderOutput", [x], { block, channels: x.shape[1] });

/** Plain weights in the order that BlockedConv reads. */
export function blockedWeights(w: Tensor, block: number, plainImage: boolean): Tensor {
  const [o, c, kh, kw] = w.shape;
  if (c === 1 && !plainImage) return reorderInput(w.reshape([1, o, kh, kw]), block).reshape(w.shape);
  const inner = plainImage ? 1 : block;
  return w
    .reshape([o / block, block, c / inner, inner, kh * kw])
    .transpose([0, 2, 4, 3, 1])
    .reshape(w.shape);
}

/** Images [N, C, H, W] to [N, O, h, w], both plain, convolved in blocks. */
export function convInBlocks(x: Tensor, w: Tensor, bias: Tensor | undefined, attrs: ConvAttrs, block: number): Tensor {
  const plainImage = x.shape[1] < block;
  const image = plainImage ? x : reorderInput(x, block);
  const inputs = [image, blockedWeights(w, block, plainImage), bias];
  return reorderOutput(apply("BlockedConv", bias ? inputs : inputs.slice(0, 2), { ...attrs, block }), block);
}
