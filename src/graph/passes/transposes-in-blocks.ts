import { operators, type Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { apply, type Tensor } from "../tensor.ts";
import { type Shape, sizeOf } from "../types.ts";

/** Elements from which it is worth it. */
const LEAST = 2 ** 14;

/** Numbers in two lines of memory, which are fetched together. */
const LINES = 32;

/**
 * Matrices [M, N] with M < N are turned by way of the blocked layout of convolutions. The runtime spreads each of them over its
 * threads by rows, which become columns: unless a row of the result is several whole pairs of lines, two threads write into
 * the same lines all the time. On two threads, with AVX-512, 512 matrices [9, 512] (a weight's gradient, its taps still
 * outside) take 1.9 ms and by blocks 0.5, 16 of [49, 512] 0.23 and 0.05, 8 of [32, 16384] in a step 9.5 and 1.4; 8 of
 * [64, 4096] 0.5 to 1.0 either way.
 */
export function transposesInBlocks(program: Program, block: number): Program {
  // A product reads a transpose as it lies: the runtime makes none.
  const factors = new Set(operators(program).flatMap(({ op, inputs }) => (op === "MatMul" ? inputs : [])));
  return rewrite(program, ({ op, attrs, outputs: [y] }, inputs) => {
    if (op !== "Transpose" || y.dtype !== "float32" || factors.has(y)) return undefined;
    const x = inputs[0] as Tensor;
    const turn = turnOf(x.shape, attrs.perm as readonly number[]);
    if (!turn || x.size < LEAST) return undefined;
    const [batch, rows, columns] = turn;
    if (rows >= columns || (rows > LINES && rows % LINES === 0) || columns % block > 0) return undefined;
    // Images of M pixels with N channels.
    const images = x.reshape([batch, rows, 1, columns]);
    const blocks = apply("ReorderInput", [images], { block, channels_last: 1 });
    return [apply("ReorderOutput", [blocks], { block, channels: columns }).reshape(y.shape)];
  });
}

/** [batch, M, N], where the permutation turns matrices [M, N] whose rows and columns may be several axes; else undefined. */
function turnOf(shape: Shape, perm: readonly number[]): [batch: number, rows: number, columns: number] | undefined {
  const lead = perm.findIndex((p, i) => p !== i);
  if (lead < 0) return undefined;
  const moved = perm.slice(lead);
  const split = moved[0];
  if (moved.some((p, i) => p !== lead + ((split - lead + i) % moved.length))) return undefined;
  return [sizeOf(shape.slice(0, lead)), sizeOf(shape.slice(lead, split)), sizeOf(shape.slice(split))];
}
