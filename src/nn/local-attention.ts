import { TesseraeError } from "../errors.ts";
import { constant, type Tensor } from "../graph/tensor.ts";
import { conv2d } from "./conv.ts";
import { kaimingNormalFanOut, normal } from "./init.ts";
import { module, parameter, tap } from "./module.ts";
import type { Size } from "./size.ts";

/** Scores of keys outside a query's window; far below any other, so that their probability is 0. */
const OUTSIDE = -1e9;

/** Per query and key position along one axis, the offset's entry in the table; undefined: not in the window. */
type Offsets = readonly (readonly (number | undefined)[])[];

/** Offsets key - query, counted from `first`, of `queries` positions and `keys` positions; `span` entries. */
export const axisOffsets = (queries: number, keys: number, first: number, span: number): Offsets =>
  Array.from({ length: queries }, (_, q) =>
    Array.from({ length: keys }, (_, k) => (k - q - first >= 0 && k - q - first < span ? k - q - first : undefined)),
  );

/** Learned embeddings of `span` row and column offsets: each half of every head's channels. */
export const relativeEmbedding = (heads: number, d: number, span: number) => {
  if (d % 2) throw new TesseraeError("usage", `heads of ${d} channels cannot be halved into rows and columns`);
  const table = () => parameter([heads, d / 2, span], normal(d ** -0.5), { decay: false });
  return module(
    { rows: table(), columns: table() },
    /** q·r (eq. 3's second term) of queries [B, heads, h, w, d] and keys [h', w'], [B, heads, h, w, h', w']. */
    (m, q: Tensor, rowOffsets: Offsets, columnOffsets: Offsets): Tensor => {
      const [a, b] = q.split(2, 4);
      const byRow = along(a, m.rows, rowOffsets); // [B, heads, h, w, h']
      const byColumn = along(b.transpose([0, 1, 3, 2, 4]), m.columns, columnOffsets).transpose([0, 1, 3, 2, 4]);
      return byRow.unsqueeze(5).add(byColumn.unsqueeze(4));
    },
  );
};

/** q [B, heads, i, ·, d/2] times the embedding [heads, d/2, span] of the offset of i and j: [B, heads, i, ·, j]. */
function along(q: Tensor, embedding: Tensor, offsets: Offsets): Tensor {
  const [heads, half, span] = embedding.shape;
  const [queries, keys] = [offsets.length, offsets[0].length];
  const inside = offsets.every((row) => !row.includes(undefined));
  const index = constant(
    offsets.flatMap((row) => row.map((o) => o ?? span)),
    [queries * keys],
    "int64",
  );
  const padded = inside
    ? embedding
    : embedding.pad([
        [0, 0],
        [0, 0],
        [0, 1],
      ]);
  const table = padded.gather(index, 2).reshape([heads, half, queries, keys]).transpose([0, 2, 1, 3]);
  const products = q.matmul(table);
  if (inside) return products;
  const mask = offsets.flatMap((row) => row.map((o) => (o === undefined ? OUTSIDE : 0)));
  return products.add(constant(mask, [queries, 1, keys]));
}

/**
 * softmax over keys of q·k + q·r, times v: queries [B, heads, h, w, d], keys [B, heads, d, h'·w'], values
 * [B, heads, h'·w', d] and scores of positions [B, heads, h, w, h', w'], to [B, heads, h·w, d].
 */
export function positionedAttention(q: Tensor, k: Tensor, v: Tensor, positions: Tensor): Tensor {
  const [b, heads, h, w, d] = q.shape;
  const keys = k.shape[3];
  const content = q.reshape([b, heads, h * w, d]).matmul(k);
  return tap("probs", content.add(positions.reshape([b, heads, h * w, keys])).softmax()).matmul(v);
}

/** Length of the blocks that an axis is cut into: from 5 to 8, with the fewest places left over. */
export function blockLength(size: number): number {
  if (size <= 8) return size;
  const covered = (b: number) => Math.ceil(size / b) * b;
  return [7, 8, 6, 5].reduce((best, b) => (covered(b) < covered(best) ? b : best));
}

export interface LocalAttentionOptions {
  heads: number;
  /** Side k of the window, odd. */
  kernel: number;
}

/**
 * Local self-attention (Ramachandran et al. 2019, eq. 3): every pixel asks the k x k pixels around it,
 *   y_ij = Σ_ab softmax_ab(q_ij·k_ab + q_ij·r_{a-i,b-j}) v_ab,
 * per head, with r the embeddings of row and column offset side by side. As in a padded convolution, pixels beyond
 * the border are zeros: they have a position but no content. [N, C, H, W] to the same.
 *
 * Runs by blocks: the queries of a block share the keys of the block and its halo, so that keys are copied about three
 * times rather than k² times; a mask leaves each query its own window.
 */
export const localAttention = (dim: number, { heads, kernel }: LocalAttentionOptions) => {
  if (dim % heads) throw new TesseraeError("usage", `${heads} heads do not divide a width of ${dim}`);
  if (kernel % 2 === 0 || !Number.isInteger(kernel))
    throw new TesseraeError("usage", `the window of local attention has an odd side, not ${kernel}`);
  const project = () => conv2d(dim, dim, 1, { bias: false, weightInit: kaimingNormalFanOut() });
  const d = dim / heads;
  return module(
    {
      query: project(),
      key: project(),
      value: project(),
      relative: relativeEmbedding(heads, d, kernel),
    },
    (m, x: Tensor) => {
      const [n, , height, width] = x.shape;
      const block: Size = [blockLength(height), blockLength(width)];
      const count: Size = [Math.ceil(height / block[0]), Math.ceil(width / block[1])];
      const halo: Size = [block[0] + kernel - 1, block[1] + kernel - 1];
      const blocks = n * count[0] * count[1];
      /** Block layout [N, heads, d, ny, h, nx, w] of a map with borders of `border` pixels. */
      const cut = (t: Tensor, sides: Size, border: number): Tensor => {
        const behind = (i: 0 | 1) => count[i] * block[i] - t.shape[2 + i] + border;
        const padded = t.pad([
          [0, 0],
          [0, 0],
          [border, behind(0)],
          [border, behind(1)],
        ]);
        const cutRows = windows(padded, 2, count[0], block[0], sides[0]);
        const all = windows(cutRows, 4, count[1], block[1], sides[1]);
        return all.reshape([n, heads, d, count[0], sides[0], count[1], sides[1]]);
      };
      const border = (kernel - 1) / 2;
      const q = cut(m.query(x), block, 0)
        .transpose([0, 3, 5, 1, 4, 6, 2])
        .reshape([blocks, heads, ...block, d]);
      const keys = halo[0] * halo[1];
      const k = cut(m.key(x), halo, border).transpose([0, 3, 5, 1, 2, 4, 6]).reshape([blocks, heads, d, keys]);
      const v = cut(m.value(x), halo, border).transpose([0, 3, 5, 1, 4, 6, 2]).reshape([blocks, heads, keys, d]);
      const [rows, columns] = [0, 1].map((i) => axisOffsets(block[i], halo[i], 0, kernel));
      const y = positionedAttention(q, k, v, m.relative(q, rows, columns));
      const map = y.reshape([n, ...count, heads, ...block, d]).transpose([0, 3, 6, 1, 4, 2, 5]);
      return map
        .reshape([n, dim, count[0] * block[0], count[1] * block[1]])
        .slice(2, 0, height)
        .slice(3, 0, width);
    },
  );
};

/** An axis of count·step + (length - step) places as [count, length]: windows of a length, `step` apart. */
function windows(x: Tensor, axis: number, count: number, step: number, length: number): Tensor {
  if (count === 1 || length === step)
    return x.reshape([...x.shape.slice(0, axis), count, length, ...x.shape.slice(axis + 1)]);
  const index = Array.from({ length: count * length }, (_, i) => Math.floor(i / length) * step + (i % length));
  return x.gather(constant(index, [count, length], "int64"), axis);
}
