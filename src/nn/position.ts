import { concat, constant, type Tensor } from "../graph/tensor.ts";
import { normal, truncNormal } from "./init.ts";
import { fn, module, parameter } from "./module.ts";
import type { Size } from "./size.ts";

/** Fixed sines and cosines of the token index, [1, length, dim] (Vaswani et al. 2017, section 3.5). */
export function sinusoidalTable(length: number, dim: number): Tensor {
  const table = new Float64Array(length * dim);
  for (let p = 0; p < length; p++)
    for (let i = 0; i < dim; i++) {
      const angle = p / 10000 ** ((2 * Math.floor(i / 2)) / dim);
      table[p * dim + i] = i % 2 ? Math.cos(angle) : Math.sin(angle);
    }
  return constant(table, [1, length, dim]);
}

/** A fixed table as a module. */
export const sinusoidalPosition = (length: number, dim: number) => fn(() => sinusoidalTable(length, dim));

/**
 * Learned 2-D table [1, H·W, D]: half of each embedding depends on the row, half on the column
 * (ViT, appendix D.4).
 */
export const gridPosition = ([height, width]: Size, dim: number) =>
  module(
    { y: parameter([height, 1, dim / 2], truncNormal(0.02)), x: parameter([1, width, dim / 2], truncNormal(0.02)) },
    (m) => {
      const shape = [height, width, dim / 2];
      return concat([m.y.expand(shape), m.x.expand(shape)], 2).reshape([1, height * width, dim]);
    },
  );

/** For each (query, key) pair of an H x W grid, the row of the table of offsets, [H·W · H·W]. */
export function relativePositionIndex([height, width]: Size): Int32Array {
  const length = height * width;
  const index = new Int32Array(length * length);
  for (let q = 0; q < length; q++)
    for (let k = 0; k < length; k++) {
      const dy = Math.floor(q / width) - Math.floor(k / width) + height - 1;
      const dx = (q % width) - (k % width) + width - 1;
      index[q * length + k] = dy * (2 * width - 1) + dx;
    }
  return index;
}

const INDICES = new Map<string, Tensor>();

/** The same as a constant [L · L], one for all the blocks that share a grid. */
function indexOf(grid: Size): Tensor {
  const known = INDICES.get(`${grid}`);
  if (known) return known;
  const index = relativePositionIndex(grid);
  const made = constant(index, [index.length], "int64");
  INDICES.set(`${grid}`, made);
  return made;
}

/** A table of offsets [(2H-1)·(2W-1), heads] as biases of the scores, [heads, L, L]. */
export function biasOfOffsets(table: Tensor, grid: Size): Tensor {
  const length = grid[0] * grid[1];
  const rows = table.gather(indexOf(grid));
  return rows.reshape([length, length, table.shape[1]]).transpose([2, 0, 1]);
}

/**
 * Relative position bias [heads, L, L]: a learned B of (2H-1)·(2W-1) entries per head, indexed by the offset of
 * query and key (Shaw et al. 2018; Swin, eq. 4). Prefix tokens (class, registers) get no bias.
 */
export const relativePositionBias = (grid: Size, heads: number, prefix = 0) =>
  module(
    {
      relative_position_bias_table: parameter([(2 * grid[0] - 1) * (2 * grid[1] - 1), heads], truncNormal(0.02), {
        decay: false,
        window: grid,
      }),
    },
    (m): Tensor =>
      biasOfOffsets(m.relative_position_bias_table, grid).pad([
        [0, 0],
        [prefix, 0],
        [prefix, 0],
      ]),
  );

/** Row (q, k) of [length², 2·length - 1] picks the offset of key and query along one axis. */
function offsetLookup(length: number): Tensor {
  const offsets = 2 * length - 1;
  const rows = new Float64Array(length * length * offsets);
  for (let q = 0; q < length; q++)
    for (let k = 0; k < length; k++) rows[(q * length + k) * offsets + k - q + length - 1] = 1;
  return constant(rows, [length * length, offsets]);
}

/**
 * The same as TensorFlow's MaxViT has it: heads first, indexed by the offset of key and query, and looked up along
 * each axis by a product, whose gradient is a product again.
 */
export const relativePositionBiasTf = ([height, width]: Size, heads: number) =>
  module(
    {
      relative_position_bias_table: parameter([heads, 2 * height - 1, 2 * width - 1], normal(0.02), {
        decay: false,
        window: [height, width],
      }),
    },
    (m): Tensor => {
      const rows = offsetLookup(height).matmul(m.relative_position_bias_table); // [heads, H·H, 2W-1]
      const pairs = rows.matmul(offsetLookup(width).mT()).reshape([heads, height, height, width, width]);
      return pairs.transpose([0, 1, 3, 2, 4]).reshape([heads, height * width, height * width]);
    },
  );

/** f of the offset along each axis, for every offset of an H x W grid: [(2H-1)·(2W-1), 2]. */
export function offsetTable([height, width]: Size, f: (offset: number, size: number) => number): Tensor {
  const values: number[] = [];
  for (let y = 1 - height; y < height; y++)
    for (let x = 1 - width; x < width; x++) values.push(f(y, height), f(x, width));
  return constant(values, [(2 * height - 1) * (2 * width - 1), 2]);
}
