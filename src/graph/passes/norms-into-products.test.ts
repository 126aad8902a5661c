import { describe, expect, it } from "vitest";
import { vjp } from "../../autodiff/grad.ts";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { apply, concat, constant, input, type Tensor } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { normsIntoProducts } from "./norms-into-products.ts";
import "../../ops/index.ts";

const SHAPES: Readonly<Record<string, Shape>> = {
  x: [2, 6, 4],
  scale: [4],
  shift: [4],
  w: [3, 4],
  b: [3],
  wide: [5, 8],
  square: [4, 4],
};
const [x, scale, shift, w, b, wide, square] = Object.entries(SHAPES).map(([name, s]) => input(name, "float32", s));
const feeds = new Map(Object.entries(SHAPES).map(([name, shape], i) => [name, noise(shape, i)]));

const norm = apply("LayerNormalization", [x, scale, shift], { axis: 2, epsilon: 1e-5 });
const rows = (t: Tensor, k = 4): Tensor => t.reshape([t.size / k, k]);
const of = (...outputs: Tensor[]): Program => program("p", new Map(outputs.map((t, i) => [`y${i}`, t])));

/** Whether a norm has lost its scale and shift. */
const isBare = (p: Program): boolean =>
  operators(p).some((n) => n.op === "LayerNormalization" && n.inputs.length === 2);

const valuesOf = (p: Program): number[][] => evaluate([...p.outputs.values()], feeds).map(({ data }) => [...data]);

function expectSame(one: Program, other: Program): void {
  const expected = valuesOf(other);
  valuesOf(one).forEach((values, i) => {
    values.forEach((v, j) => void expect(v).toBeCloseTo(expected[i][j], 10));
  });
}

const windows = norm.reshape([2, 3, 2, 4]).transpose([0, 2, 1, 3]);
const [first, rest] = norm.split([2, 4], 1);

describe("norms-into-products", () => {
  it.each<[string, Tensor[]]>([
    ["a product and its bias", [rows(norm).gemm(w, b, { transB: 1 })]],
    ["a product without a bias", [rows(norm).gemm(w, undefined, { transB: 1 })]],
    ["weights that are not transposed", [rows(norm).gemm(square, undefined, {})]],
    ["two products", [rows(norm).gemm(w, b, { transB: 1 }), rows(norm).gemm(square)]],
    ["rows of several runs of channels", [rows(windows, 8).gemm(wide, undefined, { transB: 1 })]],
    ["tokens that were rolled", [rows(concat([rest, first], 1)).gemm(w, b, { transB: 1 })]],
  ])("moves scale and shift into %s, and gradients stay what they were", (_, outputs) => {
    const plain = of(...outputs);
    const moved = normsIntoProducts(plain);
    expect(isBare(moved)).toBe(true);
    expectSame(moved, plain);
    const gradients = ({ outputs }: Program): Program => {
      const ys = [...outputs.values()];
      const ones = ys.map((y) => constant(1).expand(y.shape).mul(y));
      return of(...vjp(ys, ones, [x, scale, shift]));
    };
    expectSame(gradients(moved), gradients(plain));
  });

  it.each<[string, Tensor[]]>([
    ["a norm that is read otherwise too", [rows(norm).gemm(w, b, { transB: 1 }), norm.exp()]],
    ["a norm that is an output", [rows(norm).gemm(w, b, { transB: 1 }), norm]],
    [
      "channels that are moved",
      [rows(norm.transpose([0, 2, 1]), 6).gemm(input("v", "float32", [3, 6]), b, { transB: 1 })],
    ],
    ["a norm of the weights", [square.gemm(rows(norm), undefined, { transB: 1 })]],
    ["more outputs than rows", [rows(norm).gemm(input("many", "float32", [20, 4]), undefined, { transB: 1 })]],
  ])("leaves %s", (_, outputs) => {
    expect(isBare(normsIntoProducts(of(...outputs)))).toBe(false);
  });
});
