import { describe, expect, it } from "vitest";
import { vjp } from "../../autodiff/grad.ts";
import { toMap, toTokens } from "../../nn/tokens.ts";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { type ConvAttrs, input, type Tensor } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { sumsOfTokens } from "./sums-of-tokens.ts";
import { tilesOfTokens } from "./tiles-of-tokens.ts";
import "../../ops/index.ts";

const tokens = input("x", "float32", [2, 24, 3]);
const opsOf = (p: Program): string[] => operators(p).map(({ op }) => op);

/** Tokens of a 4 x 6 map through a convolution, and tokens again. */
const reduced = (w: Shape, attrs: ConvAttrs): Tensor =>
  toTokens(toMap(tokens, [4, 6]).conv(input("w", "float32", w), input("b", "float32", [w[0]]), attrs));

describe("tiles-of-tokens", () => {
  it("computes a convolution that tiles a map of tokens as one product, without making a map", () => {
    const w = [5, 3, 2, 3];
    const plain = program("reduced", new Map([["y", reduced(w, { strides: [2, 3] })]]));
    const product = tilesOfTokens(plain);
    expect(opsOf(product).filter((op) => op !== "Reshape")).toEqual(["Transpose", "Transpose", "Gemm"]);
    const feeds = new Map([tokens.shape, w, [5]].map((shape, i) => ["xwb"[i], noise(shape, i)]));
    const [value, expected] = [product, plain].map((p) => evaluate([...p.outputs.values()], feeds)[0]);
    expect(value.shape).toEqual([2, 4, 5]);
    value.data.forEach((v, i) => void expect(v).toBeCloseTo(expected.data[i], 12));
  });

  it.each<[string, Tensor]>([
    ["windows that overlap", reduced([5, 3, 2, 2], { strides: [1, 1] })],
    ["windows with padding", reduced([5, 3, 2, 2], { strides: [2, 2], pads: [1, 1, 1, 1] })],
    ["windows that do not fill the map", reduced([5, 3, 3, 3], { strides: [3, 3] })],
    ["windows of one pixel", reduced([5, 3, 1, 1], {})],
    ["dilated windows", reduced([5, 3, 2, 2], { strides: [2, 2], dilations: [2, 2] })],
    [
      "images",
      input("i", "float32", [2, 3, 4, 6]).conv(input("w", "float32", [5, 3, 2, 2]), undefined, { strides: [2, 2] }),
    ],
  ])("leaves %s", (_, y) => {
    expect(opsOf(tilesOfTokens(program("other", new Map([["y", y]]))))).toContain("Conv");
  });
});

it("sums-of-tokens adds up tokens, not the map that was made of them", () => {
  const bias = input("b", "float32", [3]);
  const map = input("m", "float32", [2, 3, 4, 6]);
  const y = toTokens(map.conv(input("w", "float32", [3, 1, 1, 1]), bias, { group: 3 }));
  const [db] = vjp([y], [tokens], [bias]);
  const plain = program("gradient", new Map([["db", db]]));
  const sums = sumsOfTokens(plain);
  expect(opsOf(plain)).toContain("Transpose");
  expect(opsOf(sums)).not.toContain("Transpose");
  const feeds = new Map([["x", noise(tokens.shape, 1)]]);
  const [value, expected] = [sums, plain].map((p) => evaluate([...p.outputs.values()], feeds)[0]);
  value.data.forEach((v, i) => void expect(v).toBeCloseTo(expected.data[i], 12));
});
