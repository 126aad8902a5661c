import { describe, expect, it } from "vitest";
import type { AttentionLayer } from "../../../src/explain/attention-layers.ts";
import { cellAt, centreOf, hasClassToken, lookingFrom, neighbour, placeName, strongest } from "./attention.ts";

const GRID = [1, 2] as const;

/** A class token and two patches, two heads. */
const places = { grid: GRID, length: 3, cells: Int32Array.of(-1, 0, 1) };
const layer: AttentionLayer = { path: "a", kind: "global", heads: 2, groups: 1, queries: places, keys: places };
// [1, 2 heads, 3 queries, 3 keys]
const weights = Float32Array.of(
  ...[0.5, 0.25, 0.25, 0.125, 0.75, 0.125, 0, 0, 1],
  ...[0.25, 0.5, 0.25, 0.25, 0.25, 0.5, 1, 0, 0],
);

describe("where a patch looks", () => {
  it("is its row of every head, laid out over the cells", () => {
    const { heads, mean, elsewhere, grid } = lookingFrom(layer, weights, 0);
    expect(heads.map((m) => [...m])).toEqual([
      [0.75, 0.125],
      [0.25, 0.5],
    ]);
    expect([...mean]).toEqual([0.5, 0.3125]);
    expect(elsewhere).toBeCloseTo((0.125 + 0.25) / 2);
    expect(grid).toEqual(GRID);
  });

  it("is the class token's without a patch, and the mean of all where there is none", () => {
    expect([...lookingFrom(layer, weights, undefined).heads[0]]).toEqual([0.25, 0.25]);
    expect(hasClassToken(layer)).toBe(true);
    const bare = { grid: GRID, length: 2, cells: Int32Array.of(0, 1) };
    const without = { ...layer, heads: 1, queries: bare, keys: bare };
    const looking = lookingFrom(without, Float32Array.of(1, 0, 0.5, 0.5), undefined);
    expect([...looking.mean]).toEqual([0.75, 0.25]);
    expect(hasClassToken(without)).toBe(false);
  });

  it("stays inside the patch's own group", () => {
    // Two groups of one row each, on a map of 2 x 2; the second group's tokens are the lower row.
    const rows = { grid: [2, 2] as const, length: 2, cells: Int32Array.of(0, 1, 2, 3) };
    const windows: AttentionLayer = { path: "w", kind: "row", heads: 1, groups: 2, queries: rows, keys: rows };
    const values = Float32Array.of(...[0.9, 0.1, 0.2, 0.8], ...[0.3, 0.7, 0.6, 0.4]);
    expect([...lookingFrom(windows, values, 3).mean].map((v) => Number(v.toFixed(4)))).toEqual([0, 0, 0.6, 0.4]);
  });
});

describe("places", () => {
  it("go from points to cells and back, the border included", () => {
    expect(cellAt([2, 3], { x: 0, y: 0 })).toBe(0);
    expect(cellAt([2, 3], { x: 1, y: 1 })).toBe(5);
    expect(centreOf([2, 3], 5)).toEqual({ x: 2.5 / 3, y: 0.75 });
    for (let cell = 0; cell < 6; cell++) expect(cellAt([2, 3], centreOf([2, 3], cell))).toBe(cell);
  });

  it("have neighbours inside the image only", () => {
    const grid = [2, 2] as const;
    const corner = centreOf(grid, 0);
    expect(cellAt(grid, neighbour(grid, corner, -1, 0))).toBe(0);
    expect(cellAt(grid, neighbour(grid, corner, 1, 1))).toBe(3);
  });

  it("have names that count from 1", () => {
    expect(placeName([2, 3], 5)).toBe("row 2, column 3");
    expect(strongest(Float32Array.of(0.1, 0.7, 0.2))).toBe(1);
  });
});
