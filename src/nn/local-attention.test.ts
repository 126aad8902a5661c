import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { input } from "../graph/tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../graph/types.ts";
import { blockLength, localAttention } from "./local-attention.ts";
import { slotsOf, Trace, withTrace } from "./module.ts";

/** A fixed pattern of numbers of about unit size, different for every name. */
function pattern(name: string, shape: Shape): NdArray {
  const seed = [...name].reduce((a, c) => (a * 31 + c.charCodeAt(0)) % 1009, 7);
  return {
    shape,
    data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(seed + 1.7 * i + 0.3 * i * i)),
  };
}

/**
 * Eq. 3 of the paper, one number after another. For pixel (i, j) and head n,
 *   y = Σ_(a,b) p_ab v_(i+a, j+b),  p = softmax over (a, b) of q_ij·k_(i+a, j+b) + q_ij·[row_a; column_b],
 * a and b from -(k-1)/2 to (k-1)/2, and q, k, v = W x, zero outside the image.
 */
function reference(w: ReadonlyMap<string, NdArray>, x: NdArray, heads: number, kernel: number): Float64Array {
  const [n, dim, height, width] = x.shape;
  const [d, r] = [dim / heads, (kernel - 1) / 2];
  const of = (name: string) => (w.get(name) as NdArray).data;
  const project = (name: string, b: number, c: number, i: number, j: number): number => {
    if (i < 0 || j < 0 || i >= height || j >= width) return 0;
    let sum = 0;
    for (let e = 0; e < dim; e++) sum += of(name)[c * dim + e] * x.data[((b * dim + e) * height + i) * width + j];
    return sum;
  };
  const out = new Float64Array(x.data.length);
  for (let b = 0; b < n; b++)
    for (let h = 0; h < heads; h++)
      for (let i = 0; i < height; i++)
        for (let j = 0; j < width; j++) {
          const scores: number[] = [];
          for (let a = 0; a < kernel; a++)
            for (let c = 0; c < kernel; c++) {
              let score = 0;
              for (let e = 0; e < d; e++) {
                const q = project("query.weight", b, h * d + e, i, j);
                const position =
                  e < d / 2
                    ? of("relative.rows")[(h * (d / 2) + e) * kernel + a]
                    : of("relative.columns")[(h * (d / 2) + e - d / 2) * kernel + c];
                score += q * (project("key.weight", b, h * d + e, i + a - r, j + c - r) + position);
              }
              scores.push(Math.exp(score));
            }
          const total = scores.reduce((s, v) => s + v, 0);
          for (let e = 0; e < d; e++) {
            let sum = 0;
            scores.forEach((s, at) => {
              const [a, c] = [Math.floor(at / kernel), at % kernel];
              sum += (s / total) * project("value.weight", b, h * d + e, i + a - r, j + c - r);
            });
            out[((b * dim + h * d + e) * height + i) * width + j] = sum;
          }
        }
  return out;
}

describe("local attention equals equation 3 in plain loops", () => {
  it.each([
    { shape: [2, 4, 3, 5], heads: 2, kernel: 7 }, // a single block smaller than the window
    { shape: [1, 8, 9, 11], heads: 2, kernel: 7 }, // blocks in both directions, with places left over
    { shape: [1, 4, 16, 7], heads: 1, kernel: 3 },
    { shape: [1, 4, 9, 2], heads: 2, kernel: 1 },
  ])("$shape, $heads heads, window $kernel", ({ shape, heads, kernel }) => {
    const layer = localAttention(shape[1], { heads, kernel });
    const weights = new Map(slotsOf(layer).map((s) => [s.name, pattern(s.name, s.shape)]));
    const x = pattern("x", shape);
    const context = new Trace({ training: false, resolve: (s) => input(s.name, s.dtype, s.shape) });
    const y = withTrace(context, layer, (bound) => bound(input("x", "float32", shape)));
    expect(y.shape).toEqual(shape);
    const [actual] = evaluate([y], new Map(weights).set("x", x));
    const expected = reference(weights, x, heads, kernel);
    expect(Math.max(...actual.data.map((v, i) => Math.abs(v - expected[i])))).toBeLessThan(1e-12);
  });
});

describe("blocks", () => {
  it("cover the maps of a 224-pixel image without remainder", () => {
    expect([56, 28, 14, 7].map((s) => s % blockLength(s))).toEqual([0, 0, 0, 0]);
  });
  it("waste at most a third of an axis", () => {
    for (let s = 1; s < 200; s++) expect((Math.ceil(s / blockLength(s)) * blockLength(s)) / s).toBeLessThan(4 / 3);
  });
});
