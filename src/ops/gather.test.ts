import { describe, expect, it } from "vitest";
import { grad } from "../autodiff/grad.ts";
import { evaluate } from "../graph/evaluate.ts";
import { constant, input, type Tensor } from "../graph/tensor.ts";
import "./index.ts";

/** d/dx Σ weights ⊙ x[.., indices, ..] over [2, 5, 3], by hand: each weight is added where its entry was read. */
function expected(indices: readonly number[], weights: Float64Array): number[] {
  const dx = new Array<number>(30).fill(0);
  const m = indices.length;
  weights.forEach((w, flat) => {
    const [a, p, c] = [Math.floor(flat / (m * 3)), Math.floor(flat / 3) % m, flat % 3];
    dx[(a * 5 + ((indices[p] + 5) % 5)) * 3 + c] += w;
  });
  return dx;
}

describe("the gradient of Gather adds up over repeated indices", () => {
  it.each([
    ["every entry twice", [0, 1, 2, 3, 4, 4, 3, 2, 1, 0]],
    ["unevenly, and one never", [3, 0, 0, 1, -1, 3, 3]],
    ["one entry only, many times", Array<number>(200).fill(2)],
  ])("%s", (_, indices) => {
    const weights = Float64Array.from({ length: 6 * indices.length }, (_, i) => Math.sin(i + 1));
    const x = input("x", "float32", [2, 5, 3]);
    const gradient = (index: Tensor) =>
      grad(
        x
          .gather(index, 1)
          .mul(constant(weights, [2, indices.length, 3]))
          .sum(),
        [x],
      )[0];
    const known = gradient(constant(indices, [indices.length], "int64"));
    const unknown = gradient(input("i", "int64", [indices.length]));
    const feeds = new Map([
      ["x", { shape: [2, 5, 3], data: new Float64Array(30) }],
      ["i", { shape: [indices.length], data: Float64Array.from(indices) }],
    ]);
    for (const { shape, data } of evaluate([known, unknown], feeds)) {
      expect(shape).toEqual([2, 5, 3]);
      expected(indices, weights).forEach((v, i) => {
        expect(data[i]).toBeCloseTo(v, 10);
      });
    }
  });
});
