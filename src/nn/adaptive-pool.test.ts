import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { input } from "../graph/tensor.ts";
import "../ops/index.ts";
import { adaptiveAvgPool } from "./adaptive-pool.ts";

/** PyTorch's rule in plain loops: window i covers [floor(i·L / size), ceil((i + 1)·L / size)). */
function reference(x: Float64Array, h: number, w: number, size: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++) {
      let [sum, count] = [0, 0];
      for (let y = Math.floor((i * h) / size); y < ((i + 1) * h) / size; y++)
        for (let z = Math.floor((j * w) / size); z < ((j + 1) * w) / size; z++) {
          sum += x[y * w + z];
          count++;
        }
      out.push(sum / count);
    }
  return out;
}

describe("adaptive average pooling follows PyTorch's windows", () => {
  it.each([
    ["of several pixels", 14, 21],
    ["that overlap", 8, 17],
    ["smaller than a pixel", 3, 5],
    ["of one pixel", 7, 7],
    ["in one direction only", 14, 9],
  ])("%s: %i x %i to 7 x 7", (_, h, w) => {
    const data = Float64Array.from({ length: h * w }, (_, i) => Math.sin(1 + i * i));
    const y = adaptiveAvgPool(input("x", "float32", [1, 1, h, w]), 7);
    expect(y.shape).toEqual([1, 1, 7, 7]);
    const [{ data: actual }] = evaluate([y], new Map([["x", { shape: [1, 1, h, w], data }]]));
    reference(data, h, w, 7).forEach((v, i) => {
      expect(actual[i]).toBeCloseTo(v, 12);
    });
  });
});
