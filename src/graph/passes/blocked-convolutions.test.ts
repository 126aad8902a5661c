import { describe, expect, it } from "vitest";
import { vjp } from "../../autodiff/grad.ts";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { type ConvAttrs, input, type Tensor } from "../tensor.ts";
import type { NdArray, Shape } from "../types.ts";
import { blockedConvolutions } from "./blocked-convolutions.ts";
import { optimize } from "./index.ts";

const BLOCK = 4;

interface Case {
  readonly name: string;
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs?: ConvAttrs;
  /** Operators in blocks: of the convolution, its gradients in x and in w. */
  readonly blocked: number;
}

const same = { pads: [1, 1, 1, 1] };
const strided = { pads: [1, 1, 1, 1], strides: [2, 2] };
const CASES: readonly Case[] = [
  { name: "dense 3x3", x: [2, 8, 5, 4], w: [4, 8, 3, 3], attrs: same, blocked: 2 },
  { name: "dense 3x3 at stride 2", x: [2, 4, 5, 6], w: [8, 4, 3, 3], attrs: strided, blocked: 1 },
  { name: "pointwise", x: [2, 4, 3, 3], w: [8, 4, 1, 1], blocked: 0 },
  { name: "channels that fill no block", x: [2, 3, 5, 5], w: [3, 1, 3, 3], attrs: { ...same, group: 3 }, blocked: 0 },
  { name: "N·C channels that do", x: [4, 3, 5, 5], w: [3, 1, 3, 3], attrs: { ...same, group: 3 }, blocked: 1 },
  { name: "depthwise", x: [2, 8, 5, 4], w: [8, 1, 3, 3], attrs: { ...same, group: 8 }, blocked: 3 },
  { name: "depthwise at stride 2", x: [1, 4, 6, 7], w: [4, 1, 3, 2], attrs: { ...strided, group: 4 }, blocked: 3 },
  {
    name: "depthwise at stride 3, 2, dilated",
    x: [2, 4, 9, 8],
    w: [4, 1, 2, 3],
    attrs: { strides: [3, 2], dilations: [2, 1], pads: [1, 1, 1, 0], group: 4 },
    blocked: 3,
  },
  {
    name: "pixels that no window reaches",
    x: [2, 4, 5, 5],
    w: [4, 1, 1, 1],
    attrs: { strides: [3, 3], group: 4 },
    blocked: 1,
  },
  { name: "two outputs a channel", x: [1, 4, 4, 4], w: [8, 1, 3, 3], attrs: { ...same, group: 4 }, blocked: 0 },
];

function build({ x, w, attrs }: Case): { plain: Program; feeds: Map<string, NdArray> } {
  const [xt, wt, b] = [input("x", "float32", x), input("w", "float32", w), input("b", "float32", [w[0]])];
  const y = xt.conv(wt, b, attrs);
  const dy = input("dy", "float32", y.shape);
  const [dx, dw] = vjp([y], [dy], [xt, wt]);
  const outputs: [string, Tensor][] = [
    ["y", y],
    ["dx", dx],
    ["dw", dw],
  ];
  const feeds = [xt, wt, b, dy].map(({ node, shape }, i): [string, NdArray] => [
    node.attrs.name as string,
    noise(shape, i),
  ]);
  return { plain: program("conv", new Map(outputs)), feeds: new Map(feeds) };
}

const values = ({ outputs }: Program, feeds: ReadonlyMap<string, NdArray>) =>
  evaluate([...outputs.values()], feeds).flatMap(({ data }) => [...data]);

describe("blocked-convolutions", () => {
  it.each(CASES.map((c) => [c.name, c] as const))("changes no result: %s", (_, c) => {
    const { plain, feeds } = build(c);
    const blocked = blockedConvolutions(plain, BLOCK);
    expect(operators(blocked).filter(({ op }) => op === "BlockedConv")).toHaveLength(c.blocked);
    const expected = values(plain, feeds);
    values(blocked, feeds).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 12);
    });
  });

  it("reorders an image once for the convolution and its weight gradient, a cotangent once for both gradients", () => {
    const { plain } = build(CASES[5]);
    const reorders = operators(optimize(plain, { block: BLOCK })).filter(({ op }) => op === "ReorderInput");
    expect(reorders.filter(({ inputs: [x] }) => (x?.shape[0] ?? 0) * (x?.shape[1] ?? 0) === 16)).toHaveLength(2);
  });

  it.each([
    ["images [N, H, W, C]", [2, 5, 4, 8], [0, 3, 1, 2], [0, 2, 3, 1]],
    ["tokens [N, H·W, C]", [2, 20, 8], [0, 2, 1], [0, 2, 1]],
  ])("takes %s into blocks and out of them without plain images", (_, shape, into, out) => {
    const [t, wt] = [input("t", "float32", shape), input("w", "float32", [8, 1, 3, 3])];
    const y = t
      .transpose(into)
      .reshape([2, 8, 5, 4])
      .conv(wt, undefined, { ...same, group: 8 });
    const last = shape.length === 4 ? y.transpose(out) : y.reshape([2, 8, 20]).transpose(out);
    const dy = input("dy", "float32", shape);
    const [dt, dw] = vjp([last], [dy], [t, wt]);
    const plain = program("tokens", new Map(Object.entries({ last, dt, dw })));
    const blocked = blockedConvolutions(plain, BLOCK);
    const ops = operators(optimize(plain, { block: BLOCK }));
    expect(ops.filter((n) => n.op === "Transpose" && n.outputs[0].size === t.size)).toEqual([]);
    expect(ops.filter(({ attrs }) => attrs.channels_last)).toHaveLength(4); // t, dy, last and dt
    const feeds = new Map([t, wt, dy].map((x, i) => [x.node.attrs.name as string, noise(x.shape, i)]));
    const expected = values(plain, feeds);
    values(blocked, feeds).forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i], 12);
    });
  });

  it("leaves a program for any runtime, and one that leaves the pass out, as it was", () => {
    const { plain } = build(CASES[5]);
    for (const options of [{}, { block: BLOCK, without: ["blocked-convolutions"] }])
      expect(operators(optimize(plain, options)).some(({ op }) => op === "BlockedConv")).toBe(false);
  });
});
