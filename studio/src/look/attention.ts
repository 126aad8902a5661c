import type { AttentionLayer, Places } from "../../../src/explain/attention-layers.ts";
import type { Size } from "../../../src/nn/size.ts";

/** A point of the image, in parts of its width and height, from its upper left. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Where one token, or the average of all, looks. */
export interface Looking {
  readonly grid: Size;
  /** A map [rows · columns] for each head: weights on the cells. */
  readonly heads: readonly Float32Array[];
  /** Of all heads. */
  readonly mean: Float32Array;
  /** Share of the mean that goes to tokens without a place, as the class token. */
  readonly elsewhere: number;
}

/** The cell of a grid that a point lies in. */
export function cellAt([rows, columns]: Size, { x, y }: Point): number {
  const index = (v: number, n: number) => Math.min(n - 1, Math.max(0, Math.floor(v * n)));
  return index(y, rows) * columns + index(x, columns);
}

/** The middle of a cell. */
export const centreOf = ([rows, columns]: Size, cell: number): Point => ({
  x: ((cell % columns) + 0.5) / columns,
  y: (Math.floor(cell / columns) + 0.5) / rows,
});

/** The point of the cell next to a point's, `down` and `right` cells away, inside the image. */
export function neighbour(grid: Size, from: Point, down: number, right: number): Point {
  const [rows, columns] = grid;
  const cell = cellAt(grid, from);
  const row = Math.min(rows - 1, Math.max(0, Math.floor(cell / columns) + down));
  const column = Math.min(columns - 1, Math.max(0, (cell % columns) + right));
  return centreOf(grid, row * columns + column);
}

/** Group and token of a cell; those of a token without a place for -1. undefined where there is none. */
function find({ cells, length }: Places, cell: number): readonly [group: number, token: number] | undefined {
  const at = cells.indexOf(cell);
  return at < 0 ? undefined : [Math.floor(at / length), at % length];
}

/** Whether a layer has a token without a place: its first is the class token. */
export const hasClassToken = ({ queries }: AttentionLayer): boolean => queries.cells.includes(-1);

/** Adds a row of weights to the map of its cells; returns the weight on tokens without a place. */
function spread(map: Float32Array, row: Float32Array, { cells, length }: Places, group: number, share: number): number {
  let elsewhere = 0;
  for (let k = 0; k < length; k++) {
    const cell = cells[group * length + k];
    if (cell < 0) elsewhere += row[k] * share;
    else map[cell] += row[k] * share;
  }
  return elsewhere;
}

/**
 * Where the token at a cell looks, from the weights [groups, heads, queries, keys] of a layer. Without a cell: the class token,
 * and in a layer that has none the mean of all tokens.
 */
export function lookingFrom(layer: AttentionLayer, weights: Float32Array, cell: number | undefined): Looking {
  const { heads, groups, queries, keys } = layer;
  const one = find(queries, cell ?? -1);
  const asked = one ? [one] : everyToken(groups, queries.length);
  const size = keys.grid[0] * keys.grid[1];
  let elsewhere = 0;
  const maps = Array.from({ length: heads }, (_, head) => {
    const map = new Float32Array(size);
    for (const [group, token] of asked) {
      const at = ((group * heads + head) * queries.length + token) * keys.length;
      elsewhere += spread(map, weights.subarray(at, at + keys.length), keys, group, 1 / asked.length) / heads;
    }
    return map;
  });
  return { grid: keys.grid, heads: maps, mean: meanOf(maps), elsewhere };
}

const everyToken = (groups: number, length: number): (readonly [number, number])[] =>
  Array.from({ length: groups * length }, (_, i) => [Math.floor(i / length), i % length] as const);

const meanOf = (maps: readonly Float32Array[]): Float32Array =>
  maps[0].map((_, i) => maps.reduce((sum, map) => sum + map[i], 0) / maps.length);

/** The cell with the most weight. */
export const strongest = (map: Float32Array): number => map.indexOf(Math.max(...map));

/** "row 3, column 5", counted from 1. */
export const placeName = ([, columns]: Size, cell: number): string =>
  `row ${Math.floor(cell / columns) + 1}, column ${(cell % columns) + 1}`;
