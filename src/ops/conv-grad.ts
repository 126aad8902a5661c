import { divisors } from "../graph/divisors.ts";
import { apply, applyAll, type ConvAttrs, concat, constant, input, type Tensor } from "../graph/tensor.ts";
import type { Shape } from "../graph/types.ts";
import { windowRows } from "./blocked.ts";
import { extent, type Window, windowCounts } from "./window.ts";

/**
 * Gradients of y = conv(x, w) from standard operators. With strides s, dilations d and pads p before the image,
 *
 *   y[n, o, i] = Σ_{c, q} x[n, c, s·i + d·q - p] · w[o, c, q]
 *
 * along each spatial axis, channels c and o within one of g groups; q is a tap of the kernel. Shapes: x [N, C, H, W],
 * w [O, C/g, kH, kW], y [N, O, h, v]. A formulation is chosen by what onnxruntime's CPU kernels made fastest.
 */
export interface ConvWindow extends Window {
  readonly group: number;
}

type InputGrad = (x: Shape, w: Tensor, dy: Tensor, window: ConvWindow) => Tensor;
export type WeightGrad = (x: Tensor, w: Shape, dy: Tensor, window: ConvWindow) => Tensor;

/**
 * At stride 1 a convolution again. At larger strides ConvTranspose: 0.7-1.0 of the time of one convolution per phase
 * with the phases interleaved, 0.3-0.8 of that of a convolution over dY with zeros between.
 */
export const inputGrad: InputGrad = (x, w, dy, window) => {
  if (isTiling(x, window)) return tilesInputGrad(x, w, dy, window);
  return window.strides.every((s) => s === 1) ? flippedConv(x, w, dy, window) : convTranspose(x, w, dy, window);
};

/** An operator of its own: which formulation is fastest depends on shapes, layouts and the processor. */
export const weightGrad: WeightGrad = (x, _w, dy, { kernel, strides, pads, dilations, group }) =>
  apply("ConvWeightGrad", [x, dy], { kernel_shape: kernel, strides, pads, dilations, group });

/** One channel a group, of weights [O, C/g, kH, kW]. */
export const isDepthwise = ([o, c]: Shape, group: number): boolean => group > 1 && group === o && c === 1;

/** By the formulation that is fastest as a rule; in the blocked layout `convPerImage` is, of a depthwise one. */
export const weightGradByRule: WeightGrad = (x, w, dy, window) =>
  chooseWeightGrad(x.shape, w, dy.shape, window)(x, w, dy, window);

/**
 * Registers of 16 numbers double the speed of products, not that of memory: building patches then costs more than
 * exchanging the axes of x and dY. With AVX-512 a product for each row of the kernel takes 0.45-0.9 of the time of what the rule
 * chooses (16 x 64 x 56² to 16 x 512 x 7², 3x3, at strides 1 and 2; stems of 3 channels).
 */
export function weightGradInWideRegisters(x: Shape, window: ConvWindow, block: number): WeightGrad | undefined {
  if (block < 16 || window.group > 1 || isPointwise(window) || isTiling(x, window)) return undefined;
  const { strides } = window;
  if (hasPhases(window) && strides[0] * strides[1] * x[1] <= block) return phasesPerRow(block);
  return isStem(x[1], window) ? inPhases(productPerRow) : productPerRow;
}

const isPointwise = ({ kernel }: ConvWindow): boolean => kernel.every((k) => k === 1);

/** A stem's 7x7 at stride 2: pixels of one phase lie together, in 0.7 of the time. */
const isStem = (channels: number, window: ConvWindow): boolean =>
  channels <= 4 && hasPhases(window) && window.kernel.every((k, i) => k > 2 * window.strides[i]);

function chooseWeightGrad(x: Shape, w: Shape, dy: Shape, window: ConvWindow): WeightGrad {
  const { group, kernel } = window;
  const [o, c] = w;
  if (isTiling(x, window)) return tilesWeightGrad;
  if (group > 1) return isDepthwise(w, group) ? rowBlocks : productPerTapAndGroup;
  if (isStem(c, window)) return phases;
  // A product for each image copies patches in cache and exchanges no axes, but its parts [O, kH·kW·C] are added up: where
  // those outgrow the images (small maps, many channels), one product over the batch for each tap.
  const taps = kernel[0] * kernel[1] * c;
  return (o * taps) / (o + taps) <= 2 * dy[2] * dy[3] ? patches : productPerTap;
}

/** Windows that overlap at a stride: each phase has more than one tap. */
const hasPhases = ({ kernel, strides, dilations }: ConvWindow): boolean =>
  kernel.every((k, i) => k > strides[i] && strides[i] > 1 && dilations[i] === 1);

/** The formulations that may be fastest somewhere, by name; none where the rule's always is. */
export function weightGradForms(x: Shape, w: Shape, window: ConvWindow): Readonly<Record<string, WeightGrad>> {
  if (isTiling(x, window)) return {};
  if (isDepthwise(w, window.group)) return { rowBlocks };
  if (window.group > 1) return {};
  return {
    patches,
    productPerTap,
    ...(!isPointwise(window) && { productPerRow }),
    ...(hasPhases(window) && { phases }),
  };
}

// --- input gradients

/** dX = conv(dY, w flipped and its channels exchanged). */
export const flippedConv: InputGrad = (x, w, dy, window) => {
  const { pads, dilations, group } = window;
  const before = [0, 1].map((i) => extent(window, i) - 1 - pads[i]);
  const after = [0, 1].map((i) => x[i + 2] + extent(window, i) - 1 - before[i] - dy.shape[i + 2]);
  const positive = [...before, ...after].map((p) => Math.max(p, 0));
  return cropped(dy, before, after).conv(apply("AdjointWeights", [w], { group }), undefined, {
    pads: positive,
    dilations,
    group,
  });
};

/** Negative pads as slices. */
const cropped = (x: Tensor, before: readonly number[], after: readonly number[]): Tensor =>
  [0, 1].reduce((t, i) => t.slice(i + 2, Math.max(-before[i], 0), t.shape[i + 2] + Math.min(after[i], 0)), x);

/** Weights [O, C/g, kH, kW] as [C, O/g, kH, kW], flipped along both spatial axes. */
export function adjoint(w: Tensor, group: number): Tensor {
  const [o, c, kh, kw] = w.shape;
  const exchanged = w
    .reshape([group, o / group, c, kh, kw])
    .transpose([0, 2, 1, 3, 4])
    .reshape([group * c, o / group, kh, kw]);
  return flip(flip(exchanged, 2), 3);
}

const flip = (x: Tensor, axis: number): Tensor =>
  x.shape[axis] === 1 ? x : x.slice(axis, x.shape[axis] - 1, -(2 ** 40), -1);

/** dX = convTranspose(dY, w), with the pixels after the last window that none saw as output padding. */
export const convTranspose: InputGrad = (x, w, dy, window) => {
  const { strides, pads, dilations, group } = window;
  const output_padding = [0, 1].map(
    (i) => x[i + 2] + pads[i] + pads[i + 2] - extent(window, i) - strides[i] * (dy.shape[i + 2] - 1),
  );
  return apply("ConvTranspose", [dy, w], { strides, pads, dilations, group, output_padding });
};

// --- weight gradients, one group

/** dW[:, :, q] = dY · (x as tap q sees it)ᵀ with the batch inside the product: one Gemm for each tap. */
export const productPerTap: WeightGrad = (x, w, dy, window) => {
  const [o, c] = w;
  const d = channelsFirst(dy).reshape([o, dy.size / o]);
  const taps = tapViews(channelsFirst(x), window).map((view) =>
    d.gemm(view.reshape([c, dy.size / o]), undefined, { transB: 1 }).reshape([o * c, 1]),
  );
  return concat(taps, 1).reshape(w);
};

/**
 * dW[:, :, q, :] = dY · (pixels that the taps of the kernel's row q see), the batch inside the product: one Gemm for each row.
 * Pixels [C] lie whole in memory and are gathered by all threads, where one thread slices images.
 */
export const productPerRow: WeightGrad = (x, w, dy, window) => productsOfRows(pixelRows(x, window), w, dy, window);

/** The same over so many parts of the windows: an even number that divides the images, or each image's windows. */
export const productPerRowInParts =
  (parts: number): WeightGrad =>
  (x, w, dy, window) =>
    productsOfRows(pixelRows(x, window), w, dy, window, parts);

/** Pixels [N·H·W, C] of N maps of that size. */
interface PixelRows {
  readonly rows: Tensor;
  readonly size: readonly [H: number, W: number];
}

function productsOfRows(
  pixels: PixelRows,
  w: Shape,
  dy: Tensor,
  window: ConvWindow,
  parts = partsInCache(dy.shape, w[1] * w[3]),
): Tensor {
  const under = range(w[2]).map(rowUnder(pixels, dy.shape, window));
  const rows = parts ? productsInParts(pixels, under, dy, parts) : productsAtOnce(pixels, under, dy);
  return tapsLast(concat(rows, 1), w);
}

/** Weights [O, kH·kW·C], channels innermost, as w [O, C, kH, kW]. */
const tapsLast = (rows: Tensor, [o, c, kh, kw]: Shape): Tensor =>
  rows
    .reshape([o, kh * kw, c])
    .transpose([0, 2, 1])
    .reshape([o, c, kh, kw]);

/** dY · (pixels under the taps of a row), [O, kW·C], for each row of the kernel. */
function productsAtOnce({ rows }: PixelRows, under: readonly Tensor[], dy: Tensor): Tensor[] {
  const o = dy.shape[1];
  const d = channelsFirst(dy).reshape([o, dy.size / o]);
  return under.map((pixels) => d.gemm(rows.gather(pixels.reshape([pixels.size]), 0).reshape([d.shape[1], "infer"])));
}

/** The same, two parts of the windows at a time: each of two threads gathers and multiplies one in its own cache. */
function productsInParts({ rows }: PixelRows, under: readonly Tensor[], dy: Tensor, parts: number): Tensor[] {
  const pairs = parts / 2;
  const d = inParts(dy, parts);
  const seen = d.shape[2];
  const scanned = [d.reshape([pairs, 2, ...d.shape.slice(1)]), ...under.map((t) => t.reshape([pairs, t.size / pairs]))];
  const [pair, ...pixels] = scanned.map(({ dtype, shape: [, ...entry] }, i) => input(`x${i}`, dtype, entry));
  const all = input("rows", rows.dtype, rows.shape);
  const outputs = pixels.map((t) => pair.matmul(all.gather(t, 0).reshape([2, seen, "infer"])));
  const body = { inputs: [pair, ...pixels, all], outputs };
  const products = applyAll("Scan", [...scanned, rows], { body, num_scan_inputs: scanned.length });
  return products.map((product) => product.sum([0, 1]));
}

/** dY [N, O, h, v] in parts of its windows, in their order: [parts, O, N·h·v / parts]. */
function inParts(dy: Tensor, parts: number): Tensor {
  const [n, o, h, v] = dy.shape;
  const seen = (n * h * v) / parts;
  if (parts === n) return dy.reshape([n, o, seen]);
  const apart = parts > n ? dy.reshape([n, o, parts / n, seen]) : dy.reshape([parts, n / parts, o, h * v]);
  return apart.transpose([0, 2, 1, 3]).reshape([parts, o, seen]);
}

/** Numbers of a part that stay in a processor's cache. */
const CACHED = 320 * 1024;

/**
 * Into how many parts windows [N, O, h, v] that see `width` numbers each are cut, where few outputs make of a product a walk
 * through memory; undefined where it is better whole. Batch 16, two threads, AVX-512: 3x3 of 64 channels at 56² 16.6 to 10.4 ms,
 * of 128 at 28² 10.9 to 9.4, of 256 at 14² 8.2 to 9.3.
 */
function partsInCache([n, o, h, v]: Shape, width: number): number | undefined {
  if (o > 128) return undefined;
  const cuts = [...divisors(n), ...divisors(h * v).map((d) => n * d)];
  const parts = cuts.find((p) => p % 2 === 0 && ((n * h * v) / p) * width <= CACHED);
  return parts && parts >= 8 ? parts : undefined;
}

/** Of images padded as far as windows reach. */
function pixelRows(x: Tensor, window: ConvWindow): PixelRows {
  const padded = x.transpose([0, 2, 3, 1]).pad([[0, 0], ...margins(x.shape, window), [0, 0]]);
  const [n, H, W, c] = padded.shape;
  return { rows: padded.reshape([n * H * W, c]), size: [H, W] };
}

/** Which pixels the taps of the kernel's row q see, [N, h, v, kW]. */
function rowUnder({ size: [H, W] }: PixelRows, [n, , h, v]: Shape, window: ConvWindow): (q: number) => Tensor {
  const { kernel, strides, dilations } = window;
  const axis = (i: number, size: number, step: number): Tensor =>
    constant(
      range(size).map((k) => k * step),
      [0, 1, 2, 3].map((j) => (j === i ? size : 1)),
      "int32",
    );
  const first = axis(0, n, H * W)
    .add(axis(1, h, strides[0] * W))
    .add(axis(2, v, strides[1]));
  const taps = axis(3, kernel[1], dilations[1]);
  return (q) => first.add(taps.add(constant([q * dilations[0] * W], [1, 1, 1, 1], "int32")));
}

/** dW = Σ_n dY[n] · patches[n]ᵀ, where a column of patches [kH·kW·C, h·v] is what one window sees. */
export const patches: WeightGrad = (x, w, dy, window) => {
  const [n, o, h, v] = dy.shape;
  const [, c, kh, kw] = w;
  const columns = concat(tapViews(x, window), 1).reshape([n, kh * kw * c, h * v]);
  const sums = dy
    .reshape([n, o, h * v])
    .matmul(columns.mT())
    .sum([0]);
  return tapsLast(sums, w);
};

/**
 * A convolution at stride s is one at stride 1 over s·s times the channels, each the pixels of one phase: patches there have
 * rows that lie together in memory, (7/2)² of them instead of 7².
 */
const inPhases =
  (grad: WeightGrad): WeightGrad =>
  (x, w, dy, window) => {
    const { seen, pads, size, shape, atStride1 } = phasesOf(x, w, dy, window);
    const [top, left, bottom, right] = pads;
    const [n, c] = x.shape;
    const [s, t] = window.strides;
    const apart = padSpatial(seen, [top, bottom], [left, right])
      .reshape([n, c, size[0], s, size[1], t])
      .transpose([0, 3, 5, 1, 2, 4])
      .reshape([n, s * t * c, ...size]);
    return fromPhases(grad(apart, shape, dy, atStride1), w, window);
  };

/** The same by products of rows; a convolution brings the pixels of a window's phases together. */
export const phasesPerRow =
  (block: number): WeightGrad =>
  (x, w, dy, window) => {
    const { seen, pads, size, shape, atStride1 } = phasesOf(x, w, dy, window);
    const rows = windowRows(seen, window.strides, pads, block).slice(1, 0, shape[1]);
    return fromPhases(productsOfRows({ rows, size }, shape, dy, atStride1), w, window);
  };

interface Phases {
  /** x without the pixels that no window reaches. */
  readonly seen: Tensor;
  /** Zeros around it: top, left, bottom, right. */
  readonly pads: readonly number[];
  /** H and W of a phase. */
  readonly size: readonly [number, number];
  /** Of the weights: [O, s·t·C, kH / s, kW / t]. */
  readonly shape: Shape;
  readonly atStride1: ConvWindow;
}

function phasesOf(x: Tensor, [o, c]: Shape, dy: Tensor, window: ConvWindow): Phases {
  const [s, t] = window.strides;
  const kernel = [Math.ceil(window.kernel[0] / s), Math.ceil(window.kernel[1] / t)] as const;
  const size = [dy.shape[2] + kernel[0] - 1, dy.shape[3] + kernel[1] - 1] as const;
  const [top, left] = window.pads;
  const after = [size[0] * s - top - x.shape[2], size[1] * t - left - x.shape[3]];
  return {
    seen: cropped(x, [0, 0], after),
    pads: [top, left, ...after.map((p) => Math.max(p, 0))],
    size,
    shape: [o, s * t * c, ...kernel],
    atStride1: { ...window, kernel, strides: [1, 1], pads: [0, 0, 0, 0] },
  };
}

/** Weights [O, s·t·C, kH / s, kW / t] of the phases as those of the kernel. */
function fromPhases(dw: Tensor, [o, c, ...kernel]: Shape, { strides: [s, t] }: ConvWindow): Tensor {
  const [, , kh, kw] = dw.shape;
  return dw
    .reshape([o, s, t, c, kh, kw])
    .transpose([0, 3, 4, 1, 5, 2])
    .reshape([o, c, kh * s, kw * t])
    .slice(2, 0, kernel[0])
    .slice(3, 0, kernel[1]);
}

export const phases = inPhases(patches);

// --- weight gradients, many groups

export type Convolve = (x: Tensor, w: Tensor, attrs: ConvAttrs) => Tensor;

/**
 * One channel a group: dY is the kernel of a depthwise convolution over N·C images of one channel, with strides and dilations
 * exchanged; then the sum over n. The fewest products possible; in blocked layout 0.1-0.4 of the time of `rowBlocks`.
 */
export const convPerImage = (x: Tensor, w: Shape, dy: Tensor, window: ConvWindow, convolve: Convolve): Tensor => {
  const { kernel, strides, dilations, pads } = window;
  const after = paddingAfter(x.shape, window);
  const seen = cropped(x, [0, 0], after);
  const group = x.shape[0] * x.shape[1];
  const taps = convolve(
    seen.reshape([1, group, ...seen.shape.slice(2)]),
    dy.reshape([group, 1, ...dy.shape.slice(2)]),
    { strides: dilations, dilations: strides, pads: [pads[0], pads[1], ...after.map((p) => Math.max(p, 0))], group },
  );
  return taps
    .reshape([...x.shape.slice(0, 2), ...kernel])
    .sum([0])
    .reshape(w);
};

/** dW[:, :, q] = Σ_n dY[n] · (x[n] as tap q sees it)ᵀ: a product for each tap, image and group. */
export const productPerTapAndGroup: WeightGrad = (x, w, dy, window) => {
  const { group } = window;
  const [n, o, h, v] = dy.shape;
  const c = w[1];
  const d = dy.reshape([n, group, o / group, h * v]);
  const taps = tapViews(x, window).map((view) => {
    const product = d.matmul(view.reshape([n, group, c, h * v]).mT());
    return product.sum([0]).reshape([o * c, 1]);
  });
  return concat(taps, 1).reshape(w);
};

/**
 * One channel a group (depthwise): blocks of r rows of dY [N·blocks, r·v] meet the R rows [N·blocks, R·W] of x that their
 * windows touch in one product for each channel, P[c, a, b, y, z] = Σ_blocks dY[a, b] · x[y, z], of which
 *
 *   dW[c, q, t] = Σ_{a, b} P[c, a, b, s·a + d·q, s·b + d·t].
 *
 * For runtimes without a blocked layout. Wasteful in arithmetic, but the products run at full speed: against grouped Conv, 0.3 of the time at
 * 9x9, half at 3x3, no less at 3x3 with stride 2; against shift, multiply, sum 0.06-0.6.
 */
export const rowBlocks: WeightGrad = (x, w, dy, window) => {
  const { kernel, strides, dilations } = window;
  const [n, c, h, v] = dy.shape;
  const r = Math.min(h, kernel[0] >= 5 ? 4 : 2);
  const blocks = Math.ceil(h / r);
  const R = (r - 1) * strides[0] + extent(window, 0);
  const padded = padToWindows(x, window);
  const missing = (blocks - 1) * r * strides[0] + R - padded.shape[2];
  const image = channelsFirst(padSpatial(padded, [0, Math.max(missing, 0)], [0, 0]));
  const W = image.shape[3];
  const touched = range(blocks).flatMap((block) => range(R).map((y) => block * r * strides[0] + y));
  const xs = image.gather(constant(touched, [touched.length], "int64"), 2).reshape([c, n * blocks, R * W]);
  const ds = channelsFirst(padSpatial(dy, [0, blocks * r - h], [0, 0])).reshape([c, n * blocks, r * v]);
  const sums = diagonalSums(
    ds
      .mT()
      .matmul(xs)
      .reshape([c * r, v, R * W]),
    strides[1],
  );
  const places = range(r).flatMap((a) =>
    range(kernel[0]).flatMap((q) =>
      range(kernel[1]).map((t) => a * sums.shape[1] + (a * strides[0] + q * dilations[0]) * W + t * dilations[1]),
    ),
  );
  return sums
    .reshape([c, r * sums.shape[1]])
    .gather(constant(places, [places.length], "int64"), 1)
    .reshape([c, r, kernel[0] * kernel[1]])
    .sum([1])
    .reshape(w);
};

/** Σ_b p[:, b, j + s·b]: rows of p laid end to end and read again with rows longer by s. */
function diagonalSums(p: Tensor, s: number): Tensor {
  const [m, rows, n] = p.shape;
  return p
    .reshape([m, rows * n])
    .pad([
      [0, 0],
      [0, rows * s],
    ])
    .reshape([m, rows, n + s])
    .sum([1]);
}

// --- windows that tile the image, or one that is the image: one product over rows of patches [N·h·v, C·kH·kW]

const isTiling = (x: Shape, { kernel, strides, pads, dilations, group }: ConvWindow): boolean =>
  group === 1 &&
  (kernel[0] * kernel[1] > 1 || x[2] * x[3] === 1) &&
  kernel.every((k, i) => (k === x[i + 2] || (strides[i] === k && x[i + 2] % k === 0)) && dilations[i] === 1) &&
  pads.every((p) => p === 0);

const rowsOf = (dy: Tensor): Tensor => dy.transpose([0, 2, 3, 1]).reshape([dy.size / dy.shape[1], dy.shape[1]]);

export const tilesInputGrad: InputGrad = (x, w, dy) => {
  const [o, c, kh, kw] = w.shape;
  const [n, , h, v] = dy.shape;
  return rowsOf(dy)
    .gemm(w.reshape([o, c * kh * kw]))
    .reshape([n, h, v, c, kh, kw])
    .transpose([0, 3, 1, 4, 2, 5])
    .reshape(x);
};

export const tilesWeightGrad: WeightGrad = (x, w, dy) => {
  const [, c, kh, kw] = w;
  const [n, , h, v] = dy.shape;
  const patches = x
    .reshape([n, c, h, kh, v, kw])
    .transpose([0, 2, 4, 1, 3, 5])
    .reshape([n * h * v, c * kh * kw]);
  return rowsOf(dy).gemm(patches, undefined, { transA: 1 }).reshape(w);
};

// --- views of images

const range = (n: number): number[] => [...Array(n).keys()];

const channelsFirst = (x: Tensor): Tensor => x.transpose([1, 0, 2, 3]);

const padSpatial = (x: Tensor, rows: readonly [number, number], columns: readonly [number, number]): Tensor =>
  x.pad([[0, 0], [0, 0], rows, columns]);

/** What each tap of the kernel sees of x [a, b, H, W]: kH·kW images [a, b, h, v], row by row of the kernel. */
function tapViews(x: Tensor, window: ConvWindow): Tensor[] {
  const { kernel, strides, dilations } = window;
  const counts = windowCounts(x.shape, window);
  const padded = padToWindows(x, window);
  const reach = counts.map((n, i) => (n - 1) * strides[i] + 1);
  return range(kernel[0]).flatMap((q) =>
    range(kernel[1]).map((t) => {
      const starts = [q * dilations[0], t * dilations[1]];
      const ends = starts.map((start, i) => start + reach[i]);
      const all = strides.every((s) => s === 1) && ends.every((end, i) => end - starts[i] === padded.shape[i + 2]);
      return all ? padded : apply("Slice", [padded], { starts, ends, axes: [2, 3], steps: strides });
    }),
  );
}

/** Pixels that the last window reaches past the end of each axis; negative for pixels that no window reaches. */
const paddingAfter = (x: Shape, window: ConvWindow): number[] =>
  windowCounts(x, window).map((n, i) => (n - 1) * window.strides[i] + extent(window, i) - window.pads[i] - x[i + 2]);

/** How far windows reach before and after each axis. */
const margins = (x: Shape, window: ConvWindow): [number, number][] =>
  paddingAfter(x, window).map((after, i) => [window.pads[i], Math.max(after, 0)]);

/** Zeros around x as far as windows reach; pixels that no window reaches stay. */
function padToWindows(x: Tensor, window: ConvWindow): Tensor {
  const [rows, columns] = margins(x.shape, window);
  return padSpatial(x, rows, columns);
}
