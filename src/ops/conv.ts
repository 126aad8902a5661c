import { TesseraeError } from "../errors.ts";
import { defineOp } from "../graph/op.ts";
import { apply, type ConvAttrs, type Tensor } from "../graph/tensor.ts";
import { type Shape, showShape, sizeOf, stridesOf } from "../graph/types.ts";
import { convInBlocks, transposedInBlocks } from "./blocked.ts";
import {
  adjoint,
  type ConvWindow,
  convPerImage,
  inputGrad,
  isDepthwise,
  type WeightGrad,
  weightGrad,
  weightGradByRule,
  weightGradForms,
  weightGradInWideRegisters,
} from "./conv-grad.ts";
import { dot, forEachIndex, nd } from "./ndarray.ts";
import { extent, windowCounts, windowOf } from "./window.ts";

const convWindow = (w: Shape, attrs: ConvAttrs): ConvWindow => ({
  ...windowOf(w.slice(2), attrs),
  group: attrs.group ?? 1,
});

function convShape(x: Shape, w: Shape, window: ConvWindow): Shape {
  if (x.length !== 4 || w.length !== 4 || x[1] !== w[1] * window.group || w[0] % window.group)
    throw new TesseraeError(
      "shape",
      `Conv of images ${showShape(x)} with weights ${showShape(w)}, ${window.group} groups`,
    );
  return [x[0], w[0], ...windowCounts(x, window)];
}

/** Convolution of images [N, C, H, W] with weights [O, C/group, kH, kW]. */
defineOp<ConvAttrs>("Conv", {
  type: ([x, w], attrs) => ({ dtype: x.dtype, shape: convShape(x.shape, w.shape, convWindow(w.shape, attrs)) }),
  vjp: ({ x: [x, w, b], dy, attrs }) => {
    const window = convWindow(w.shape, attrs);
    return [inputGrad(x.shape, w, dy, window), weightGrad(x, w.shape, dy, window), b && dy.sum([0, 2, 3])];
  },
  evaluate: ([x, w, b], attrs) => {
    const window = convWindow(w.shape, attrs);
    const { strides, pads, dilations, group } = window;
    const shape = convShape(x.shape, w.shape, window);
    const [, cg, kh, kw] = w.shape;
    const [, , H, W] = x.shape;
    const [xs, ws] = [stridesOf(x.shape), stridesOf(w.shape)];
    const out = nd(shape);
    forEachIndex(shape, (flat, [n, o, i, j]) => {
      let sum = b?.data[o] ?? 0;
      const c0 = Math.floor(o / (shape[1] / group)) * cg;
      for (let c = 0; c < cg; c++)
        for (let p = 0; p < kh; p++)
          for (let q = 0; q < kw; q++) {
            const y = i * strides[0] + p * dilations[0] - pads[0];
            const z = j * strides[1] + q * dilations[1] - pads[1];
            if (y < 0 || z < 0 || y >= H || z >= W) continue;
            sum += x.data[dot([n, c0 + c, y, z], xs)] * w.data[dot([o, c, p, q], ws)];
          }
      out.data[flat] = sum;
    });
    return out;
  },
  macs: ([, w], _attrs, [y]) => sizeOf(y.shape) * sizeOf(w.shape.slice(1)),
  blocked: ([x, w, b], attrs, block) =>
    fasterInBlocks(x.shape, w.shape, attrs, block) ? convInBlocks(x, w, b, attrs, block) : undefined,
  check: [
    // patches
    { x: [[2, 3, 4, 6], [5, 3, 2, 2], [5]], attrs: { strides: [2, 2] } },
    {
      x: [
        [2, 3, 5, 6],
        [5, 3, 2, 2],
      ],
      attrs: { strides: [2, 2] },
    },
    // 1x1, at stride 1 and 2
    { x: [[2, 3, 4, 5], [4, 3, 1, 1], [4]] },
    {
      x: [
        [2, 3, 5, 4],
        [4, 3, 1, 1],
      ],
      attrs: { strides: [2, 2] },
    },
    // dense 3x3: same, valid, strided, TensorFlow's "same" at stride 2, unequal axes
    { x: [[2, 2, 5, 4], [3, 2, 3, 3], [3]], attrs: { pads: [1, 1, 1, 1] } },
    {
      x: [
        [2, 2, 5, 4],
        [3, 2, 3, 3],
      ],
    },
    { x: [[2, 2, 6, 5], [3, 2, 3, 3], [3]], attrs: { strides: [2, 2], pads: [1, 1, 1, 1] } },
    {
      x: [
        [2, 2, 6, 6],
        [3, 2, 3, 3],
      ],
      attrs: { strides: [2, 2], pads: [0, 0, 1, 1] },
    },
    {
      x: [
        [2, 2, 5, 7],
        [3, 2, 3, 2],
      ],
      attrs: { strides: [2, 3], pads: [2, 0, 1, 1] },
    },
    {
      x: [
        [1, 1, 3, 3],
        [2, 1, 2, 2],
      ],
      attrs: { pads: [3, 2, 2, 3] },
    },
    {
      x: [
        [1, 2, 9, 8],
        [2, 2, 7, 7],
      ],
      attrs: { strides: [4, 4], pads: [3, 3, 3, 3] },
    },
    // dilated
    {
      x: [
        [2, 2, 6, 5],
        [3, 2, 3, 2],
      ],
      attrs: { dilations: [2, 3], pads: [2, 1, 2, 2] },
    },
    {
      x: [
        [1, 2, 7, 9],
        [2, 2, 3, 3],
      ],
      attrs: { strides: [2, 2], dilations: [2, 3], pads: [2, 3, 2, 3] },
    },
    {
      x: [
        [1, 2, 9, 9],
        [2, 2, 2, 3],
      ],
      attrs: { strides: [4, 3], dilations: [6, 2], pads: [2, 1, 1, 2] },
    },
    // groups
    { x: [[2, 4, 4, 5], [6, 2, 3, 3], [6]], attrs: { pads: [1, 1, 1, 1], group: 2 } },
    {
      x: [
        [2, 4, 5, 6],
        [6, 2, 3, 3],
      ],
      attrs: { strides: [2, 2], pads: [0, 1, 1, 0], group: 2 },
    },
    // depthwise: same, strided, even kernel with unequal pads, dilated, two outputs a channel
    { x: [[2, 3, 5, 4], [3, 1, 3, 3], [3]], attrs: { pads: [1, 1, 1, 1], group: 3 } },
    {
      x: [
        [2, 3, 6, 5],
        [3, 1, 3, 3],
      ],
      attrs: { strides: [2, 2], pads: [1, 1, 1, 1], group: 3 },
    },
    {
      x: [
        [2, 3, 6, 6],
        [3, 1, 5, 5],
      ],
      attrs: { strides: [2, 2], pads: [1, 1, 2, 2], group: 3 },
    },
    {
      x: [
        [2, 2, 5, 6],
        [2, 1, 4, 2],
      ],
      attrs: { pads: [1, 0, 2, 1], group: 2 },
    },
    {
      x: [
        [2, 2, 6, 7],
        [2, 1, 3, 3],
      ],
      attrs: { dilations: [2, 2], pads: [2, 2, 2, 2], group: 2 },
    },
    {
      x: [
        [2, 2, 5, 4],
        [4, 1, 3, 3],
      ],
      attrs: { pads: [1, 1, 1, 1], group: 2 },
    },
  ],
});

/**
 * Depthwise in blocks takes 0.1-0.5 of the time, reordering included; a dense kernel 0.8-1. A dense 1x1 is one product
 * for each image as it is, and reordering would cost more than it wins.
 */
function fasterInBlocks(x: Shape, w: Shape, { group = 1 }: ConvAttrs, block: number): boolean {
  const [o, c, kh, kw] = w;
  if (o % block || kh * kw === 1 || x.some((d) => d < 0)) return false;
  return group === 1 ? c % block === 0 : isDepthwise(w, group);
}

type WeightGradAttrs = { kernel_shape: readonly number[] } & ConvAttrs;

/**
 * Gradient of a convolution in its weights: images x [N, C, H, W] and cotangents dY [N, O, h, v] to [O, C/group, kH, kW],
 *
 *   dW[o, c, q, t] = Σ_{n, i, j} dY[n, o, i, j] · x[n, c, s·i + d·q - p, s·j + d·t - p].
 */
defineOp<WeightGradAttrs>("ConvWeightGrad", {
  type: ([x, dy], attrs) => ({ dtype: x.dtype, shape: gradShape(x.shape, dy.shape, attrs) }),
  vjp: ({ x: [x, dy], dy: v, attrs: { kernel_shape: _, ...conv } }) => [
    inputGrad(x.shape, v, dy, convWindow(v.shape, conv)),
    x.conv(v, undefined, conv),
  ],
  decompose: (inputs, attrs) => byForm(inputs, attrs, weightGradByRule),
  blocked: (inputs, attrs, block) => {
    const [x, dy] = inputs;
    const w = gradShape(x.shape, dy.shape, attrs);
    const wide = weightGradInWideRegisters(x.shape, convWindow(w, attrs), block);
    if (wide) return byForm(inputs, attrs, wide);
    const depthwise = isDepthwise(w, attrs.group ?? 1);
    if (!depthwise || (x.shape[0] * x.shape[1]) % block) return undefined;
    return byForm(inputs, attrs, (...given) =>
      convPerImage(...given, (images, kernels, conv) => convInBlocks(images, kernels, undefined, conv, block)),
    );
  },
  forms: ([x, dy], attrs) => {
    const w = gradShape(x.shape, dy.shape, attrs);
    const forms = Object.entries(weightGradForms(x.shape, w, convWindow(w, attrs)));
    return Object.fromEntries(forms.map(([name, grad]) => [name, () => byForm([x, dy], attrs, grad)]));
  },
  evaluate: ([x, dy], attrs) => {
    const out = nd(gradShape(x.shape, dy.shape, attrs));
    const { strides, pads, dilations, group } = convWindow(out.shape, attrs);
    const [, , H, W] = x.shape;
    const [xs, ds] = [stridesOf(x.shape), stridesOf(dy.shape)];
    const [perIn, perOut] = [out.shape[1], out.shape[0] / group];
    forEachIndex(out.shape, (flat, [o, c, q, t]) => {
      const channel = Math.floor(o / perOut) * perIn + c;
      let sum = 0;
      forEachIndex([x.shape[0], ...dy.shape.slice(2)], (_flat, [n, i, j]) => {
        const y = i * strides[0] + q * dilations[0] - pads[0];
        const z = j * strides[1] + t * dilations[1] - pads[1];
        if (y < 0 || z < 0 || y >= H || z >= W) return;
        sum += x.data[dot([n, channel, y, z], xs)] * dy.data[dot([n, o, i, j], ds)];
      });
      out.data[flat] = sum;
    });
    return out;
  },
  macs: ([x, dy], attrs) => sizeOf(dy.shape) * sizeOf(gradShape(x.shape, dy.shape, attrs).slice(1)),
  check: [
    {
      x: [
        [2, 3, 5, 4],
        [2, 3, 5, 4],
      ],
      attrs: { kernel_shape: [3, 3], pads: [1, 1, 1, 1], group: 3 },
    },
    {
      x: [
        [2, 3, 6, 7],
        [2, 3, 3, 3],
      ],
      attrs: { kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 0, 0], group: 3 },
    },
    {
      x: [
        [2, 3, 5, 6],
        [2, 4, 5, 6],
      ],
      attrs: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] },
    },
    {
      x: [
        [2, 4, 5, 4],
        [2, 6, 3, 2],
      ],
      attrs: { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1], group: 2 },
    },
  ],
});

const gradShape = (x: Shape, dy: Shape, { kernel_shape, group = 1 }: WeightGradAttrs): Shape => [
  dy[1],
  x[1] / group,
  ...kernel_shape,
];

function byForm([x, dy]: readonly Tensor[], attrs: WeightGradAttrs, grad: WeightGrad): Tensor {
  const w = gradShape(x.shape, dy.shape, attrs);
  return grad(x, w, dy, convWindow(w, attrs));
}

/**
 * The kernel of a convolution's gradient in its images: weights [O, C/g, kH, kW] as [C, O/g, kH, kW], backwards along both
 * spatial axes. An operator of its own, since a blocked convolution wants it in another order than it is written here.
 */
defineOp<{ group: number }>("AdjointWeights", {
  type: ([{ dtype, shape }], { group }) => ({ dtype, shape: adjointShape(shape, group) }),
  vjp: ({ dy, attrs }) => [apply("AdjointWeights", [dy], attrs)],
  decompose: ([w], { group }) => adjoint(w, group),
  evaluate: ([w], { group }) => {
    const [o, cg, kh, kw] = w.shape;
    const out = nd(adjointShape(w.shape, group));
    const at = stridesOf(w.shape);
    const perGroup = o / group;
    forEachIndex(out.shape, (flat, [c, i, p, q]) => {
      const from = [Math.floor(c / cg) * perGroup + i, c % cg, kh - 1 - p, kw - 1 - q];
      out.data[flat] = w.data[dot(from, at)];
    });
    return out;
  },
  check: [
    { x: [[4, 3, 2, 3]], attrs: { group: 1 } },
    { x: [[4, 3, 2, 3]], attrs: { group: 2 } },
    { x: [[3, 1, 3, 3]], attrs: { group: 3 } },
  ],
});

const adjointShape = ([o, c, ...kernel]: Shape, group: number): Shape => [c * group, o / group, ...kernel];

type ConvTransposeAttrs = ConvAttrs & {
  /** Pixels at the end of each axis that no window saw; default 0. */
  output_padding?: readonly number[];
};

/** Output size of the convolution's adjoint: stride·(size - 1) + extent - pads + output padding. */
function transposedShape(x: Shape, w: Shape, attrs: ConvTransposeAttrs): Shape {
  const window = convWindow(w, attrs);
  const { output_padding = [0, 0] } = attrs;
  if (x.length !== 4 || w.length !== 4 || x[1] !== w[0] || w[0] % window.group)
    throw new TesseraeError("shape", `ConvTranspose of ${showShape(x)} with weights ${showShape(w)}`);
  const [H, W] = [0, 1].map(
    (i) =>
      window.strides[i] * (x[i + 2] - 1) + extent(window, i) - window.pads[i] - window.pads[i + 2] + output_padding[i],
  );
  return [x[0], w[1] * window.group, H, W];
}

/** The adjoint of Conv in its images: images [N, O, h, w] and weights [O, C/group, kH, kW] to [N, C, H, W]. */
defineOp<ConvTransposeAttrs>("ConvTranspose", {
  type: ([x, w], attrs) => ({ dtype: x.dtype, shape: transposedShape(x.shape, w.shape, attrs) }),
  vjp: ({ x: [x, w, b], dy, attrs }) => {
    const { output_padding: _, ...conv } = attrs;
    return [
      dy.conv(w, undefined, conv),
      weightGrad(dy, w.shape, x, convWindow(w.shape, attrs)),
      b && dy.sum([0, 2, 3]),
    ];
  },
  evaluate: ([x, w, b], attrs) => {
    const { strides, pads, dilations, group } = convWindow(w.shape, attrs);
    const out = nd(transposedShape(x.shape, w.shape, attrs));
    const [, C, H, W] = out.shape;
    const [xs, ws, os] = [stridesOf(x.shape), stridesOf(w.shape), stridesOf(out.shape)];
    if (b) forEachIndex(out.shape, (flat, [, c]) => (out.data[flat] = b.data[c]));
    const [perIn, perOut] = [x.shape[1] / group, C / group];
    forEachIndex(x.shape, (_flat, [n, o, i, j]) => {
      const v = x.data[dot([n, o, i, j], xs)];
      forEachIndex(w.shape.slice(1), (_tap, [c, p, q]) => {
        const y = i * strides[0] + p * dilations[0] - pads[0];
        const z = j * strides[1] + q * dilations[1] - pads[1];
        if (y < 0 || z < 0 || y >= H || z >= W) return;
        out.data[dot([n, Math.floor(o / perIn) * perOut + c, y, z], os)] += v * w.data[dot([o, c, p, q], ws)];
      });
    });
    return out;
  },
  macs: ([x, w]) => sizeOf(x.shape) * sizeOf(w.shape.slice(1)),
  blocked: ([x, w, b], attrs, block) => {
    const [window, [, , ...size]] = [convWindow(w.shape, attrs), transposedShape(x.shape, w.shape, attrs)];
    const depthwise = isDepthwise(w.shape, window.group) && window.group % block === 0;
    return depthwise && !b ? transposedInBlocks(x, w, size, window, block) : undefined;
  },
  check: [
    { x: [[2, 3, 2, 3], [3, 2, 3, 3], [2]], attrs: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 0] } },
    {
      x: [
        [1, 4, 3, 2],
        [4, 1, 2, 3],
      ],
      attrs: { strides: [3, 2], pads: [0, 1, 1, 0], group: 2 },
    },
    {
      x: [
        [1, 2, 3, 3],
        [2, 2, 2, 2],
      ],
      attrs: { strides: [2, 1], dilations: [2, 3], pads: [1, 0, 0, 2] },
    },
  ],
});
