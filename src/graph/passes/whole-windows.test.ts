import { describe, expect, it } from "vitest";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { type ConvAttrs, input } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { wholeWindows } from "./whole-windows.ts";
import "../../ops/index.ts";

const build = (x: Shape, w: Shape, attrs?: ConvAttrs): Program => {
  const [xt, wt, b] = [input("x", "float32", x), input("w", "float32", w), input("b", "float32", [w[0]])];
  return program("conv", new Map([["y", xt.conv(wt, b, attrs)]]));
};
const opsOf = (p: Program): string[] => operators(p).map(({ op }) => op);

describe("whole-windows", () => {
  it("computes a convolution whose window is the image as a product", () => {
    const [x, w] = [
      [2, 3, 4, 2],
      [5, 3, 4, 2],
    ];
    const plain = build(x, w);
    const product = wholeWindows(plain);
    expect(opsOf(product).filter((op) => op !== "Reshape")).toEqual(["Gemm"]);
    const feeds = new Map([x, w, [5]].map((shape, i) => ["xwb"[i], noise(shape, i)]));
    const [value, expected] = [product, plain].map((p) => evaluate([...p.outputs.values()], feeds)[0]);
    expect(value.shape).toEqual([2, 5, 1, 1]);
    value.data.forEach((v, i) => void expect(v).toBeCloseTo(expected.data[i], 12));
  });

  it.each<[string, Program]>([
    ["smaller windows", build([2, 3, 4, 4], [5, 3, 3, 3])],
    ["windows with padding", build([2, 3, 3, 3], [5, 3, 3, 3], { pads: [1, 1, 1, 1] })],
    ["groups", build([2, 4, 3, 3], [4, 2, 3, 3], { group: 2 })],
    ["windows of one pixel", build([2, 3, 1, 1], [5, 3, 1, 1])],
  ])("leaves %s", (_, p) => {
    expect(opsOf(wholeWindows(p))).toEqual(["Conv"]);
  });
});
