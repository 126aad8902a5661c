import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { type Module, Trace, withTrace } from "./module.ts";
import { offsetTable, relativePositionBias, relativePositionBiasTf } from "./position.ts";
import type { Size } from "./size.ts";

const GRID: Size = [2, 3];
const [L, T, HEADS] = [6, 15, 2];

/** The bias [heads, L, L] of a table that counts up from 0. */
function biasOf(root: Module<[], Tensor>): readonly number[] {
  const resolve = ({ shape }: { shape: readonly number[] }) => constant([...Array(HEADS * T).keys()], shape);
  const trace = new Trace({ training: false, resolve });
  return [...evaluate([withTrace(trace, root, (bound) => bound())])[0].data];
}

const place = (i: number): readonly [number, number] => [Math.floor(i / GRID[1]), i % GRID[1]];

describe("relative position bias", () => {
  it("is the table's entry for the offset of query and key", () => {
    const bias = biasOf(relativePositionBias(GRID, HEADS));
    for (let h = 0; h < HEADS; h++)
      for (let q = 0; q < L; q++)
        for (let k = 0; k < L; k++) {
          const [[qy, qx], [ky, kx]] = [place(q), place(k)];
          expect(bias[(h * L + q) * L + k]).toBe(((qy - ky + 1) * 5 + qx - kx + 2) * HEADS + h);
        }
  });

  it("has the offset of key and query in TensorFlow's layout", () => {
    const bias = biasOf(relativePositionBiasTf(GRID, HEADS));
    for (let h = 0; h < HEADS; h++)
      for (let q = 0; q < L; q++)
        for (let k = 0; k < L; k++) {
          const [[qy, qx], [ky, kx]] = [place(q), place(k)];
          expect(bias[(h * L + q) * L + k]).toBe(h * T + (ky - qy + 1) * 5 + kx - qx + 2);
        }
  });

  it("leaves prefix tokens alone", () => {
    const bias = biasOf(relativePositionBias(GRID, HEADS, 1));
    expect(bias.length).toBe(HEADS * (L + 1) ** 2);
    expect(bias.slice(0, L + 2)).toEqual(Array(L + 2).fill(0));
    expect(bias[L + 2]).not.toBe(0);
  });

  it("reads networks of the offset in the table's order", () => {
    const table = [...evaluate([offsetTable(GRID, (offset, size) => 10 * offset + size)])[0].data];
    expect(table.slice(0, 4)).toEqual([-8, -17, -8, -7]);
    expect(table.length).toBe(2 * T);
  });
});
