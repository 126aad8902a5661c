import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { input, type Tensor } from "../graph/tensor.ts";
import type { NdArray, Shape } from "../graph/types.ts";
import "./index.ts";
import { sequence } from "./cases.ts";
import {
  type ConvWindow,
  convPerImage,
  convTranspose,
  flippedConv,
  patches,
  phases,
  phasesPerRow,
  productPerRow,
  productPerRowInParts,
  productPerTap,
  productPerTapAndGroup,
  rowBlocks,
  tilesInputGrad,
  tilesWeightGrad,
} from "./conv-grad.ts";
import { nd } from "./ndarray.ts";

interface Case {
  name: string;
  x: Shape;
  w: Shape;
  window: Omit<ConvWindow, "kernel" | "ceil">;
}

const window = (
  strides: readonly number[],
  pads: readonly number[],
  group = 1,
  dilations: readonly number[] = [1, 1],
): Case["window"] => ({ strides, pads, dilations, group });

const SAME: Case = { name: "3x3 same", x: [2, 3, 5, 4], w: [4, 3, 3, 3], window: window([1, 1], [1, 1, 1, 1]) };
const TALL: Case = { name: "2x4 unequal pads", x: [2, 3, 6, 5], w: [2, 3, 2, 4], window: window([1, 1], [0, 2, 1, 1]) };
const DILATED: Case = {
  name: "dilated",
  x: [1, 2, 7, 8],
  w: [3, 2, 3, 2],
  window: window([1, 1], [2, 1, 2, 2], 1, [2, 3]),
};
const STRIDED: Case = { name: "3x3 stride 2", x: [2, 3, 6, 7], w: [4, 3, 3, 3], window: window([2, 2], [0, 1, 1, 0]) };
const LEFTOVER: Case = {
  name: "7x5 stride 4, 3",
  x: [1, 2, 12, 13],
  w: [2, 2, 7, 5],
  window: window([4, 3], [3, 1, 2, 2]),
};
const POINT: Case = { name: "1x1 stride 2", x: [2, 3, 5, 6], w: [4, 3, 1, 1], window: window([2, 2], [0, 0, 0, 0]) };
const TILES: Case = { name: "2x3 tiles", x: [2, 3, 4, 6], w: [5, 3, 2, 3], window: window([2, 3], [0, 0, 0, 0]) };
const WHOLE: Case = {
  name: "one window, the image",
  x: [2, 3, 4, 3],
  w: [5, 3, 4, 3],
  window: window([1, 1], [0, 0, 0, 0]),
};
const GROUPS: Case = { name: "2 groups", x: [2, 4, 5, 6], w: [6, 2, 3, 3], window: window([2, 1], [1, 1, 1, 1], 2) };
const DEPTHWISE: Case[] = [
  { name: "depthwise 3x3", x: [2, 3, 5, 4], w: [3, 1, 3, 3], window: window([1, 1], [1, 1, 1, 1], 3) },
  { name: "depthwise 5x5", x: [2, 3, 9, 7], w: [3, 1, 5, 5], window: window([1, 1], [2, 2, 2, 2], 3) },
  { name: "depthwise 3x3 stride 2", x: [2, 3, 8, 7], w: [3, 1, 3, 3], window: window([2, 2], [0, 1, 1, 1], 3) },
  { name: "depthwise 5x3 stride 3, 2", x: [1, 2, 14, 9], w: [2, 1, 5, 3], window: window([3, 2], [2, 1, 1, 0], 2) },
  { name: "depthwise dilated", x: [1, 2, 8, 9], w: [2, 1, 3, 2], window: window([2, 1], [2, 3, 2, 0], 2, [2, 3]) },
];
const BATCH: Case = {
  name: "a batch of parts",
  x: [4, 2, 5, 5],
  w: [3, 2, 3, 3],
  window: window([2, 2], [1, 1, 1, 1]),
};
const LARGE: Case = { name: "a larger batch", x: [8, 2, 4, 3], w: [3, 2, 3, 2], window: window([1, 1], [1, 0, 1, 1]) };
const ONE_GROUP = [SAME, TALL, DILATED, STRIDED, LEFTOVER, POINT, TILES, WHOLE];

const WEIGHT_GRADS = {
  productPerTap: { grad: productPerTap, cases: ONE_GROUP },
  productPerRow: { grad: productPerRow, cases: ONE_GROUP },
  productPerRowInParts: { grad: productPerRowInParts(4), cases: [SAME, BATCH, LARGE] },
  patches: { grad: patches, cases: ONE_GROUP },
  phases: { grad: phases, cases: [SAME, TALL, STRIDED, LEFTOVER, POINT, TILES] },
  phasesPerRow: { grad: phasesPerRow(32), cases: [SAME, TALL, STRIDED, LEFTOVER, POINT, TILES] },
  productPerTapAndGroup: { grad: productPerTapAndGroup, cases: [...ONE_GROUP, GROUPS, ...DEPTHWISE] },
  rowBlocks: { grad: rowBlocks, cases: DEPTHWISE },
  convPerImage: {
    grad: (x: Tensor, w: Shape, dy: Tensor, of: ConvWindow) =>
      convPerImage(x, w, dy, of, (images, kernels, conv) => images.conv(kernels, undefined, conv)),
    cases: DEPTHWISE,
  },
  tilesWeightGrad: { grad: tilesWeightGrad, cases: [TILES, WHOLE] },
};

const INPUT_GRADS = {
  flippedConv: { grad: flippedConv, cases: [SAME, TALL, DILATED, DEPTHWISE[0], DEPTHWISE[1]] },
  convTranspose: { grad: convTranspose, cases: [...ONE_GROUP, GROUPS, ...DEPTHWISE] },
  tilesInputGrad: { grad: tilesInputGrad, cases: [TILES, WHOLE] },
};

function random(shape: Shape, seed: number): NdArray {
  const values = sequence(seed);
  const out = nd(shape);
  for (let i = 0; i < out.data.length; i++) out.data[i] = values.next().value * 2 - 1;
  return out;
}

/** The graph of a case, and what its values are. */
function build({ x, w, window: rest }: Case) {
  const [xt, wt] = [input("x", "float32", x), input("w", "float32", w)];
  const y = xt.conv(wt, undefined, rest);
  const dy = input("dy", "float32", y.shape);
  const feeds = new Map([x, w, y.shape].map((shape, i) => [["x", "w", "dy"][i], random(shape, 10 * i)]));
  const full: ConvWindow = { ...rest, kernel: [w[2], w[3]], ceil: false };
  return { x: xt, w: wt, y, dy, feeds, window: full };
}

const dot = (a: NdArray, b: NdArray): number => a.data.reduce((s, v, i) => s + v * b.data[i], 0);

/** conv is linear in t: ⟨conv(.., e, ..), dy⟩ = ⟨grad, e⟩ for every direction e. */
function expectGradient(built: ReturnType<typeof build>, name: "x" | "w", gradient: Tensor): void {
  expect(gradient.shape).toEqual(built[name].shape);
  const [value] = evaluate([gradient], built.feeds);
  for (let seed = 0; seed < 4; seed++) {
    const e = random(gradient.shape, 100 + seed);
    const [along] = evaluate([built.y], new Map(built.feeds).set(name, e));
    expect(dot(value, e)).toBeCloseTo(dot(along, built.feeds.get("dy") as NdArray), 9);
  }
}

describe.each(Object.entries(WEIGHT_GRADS))("weight gradient by %s", (_, { grad, cases }) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const built = build(c);
    expectGradient(built, "w", grad(built.x, built.w.shape, built.dy, built.window));
  });
});

describe.each(Object.entries(INPUT_GRADS))("input gradient by %s", (_, { grad, cases }) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
    const built = build(c);
    expectGradient(built, "x", grad(built.x.shape, built.w, built.dy, built.window));
  });
});
