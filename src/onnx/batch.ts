import { TesseraeError } from "../errors.ts";
import { type Shape, showShape, sizeOf } from "../graph/types.ts";

/**
 * The free batch N as a value. Exporters compute shapes with operators (Shape, Gather, Concat, Div...); those are folded in
 * plain numbers, with this prime in N's place: a value is k·N exactly where the prime divides it. In a Shape the same
 * size is -k (see graph/types.ts).
 */
export const BATCH = 15_485_863;

/**
 * The number n of an image within its batch, as a value: Range(0, N) is one such row, which stands for all. Only a
 * gather that addresses the memory of a batch by n·k + i reads it.
 */
export const ROW = 32_452_843;

export const isBatch = (value: number): boolean => value !== 0 && value % BATCH === 0;

/** A size of a Shape as a value that shape computations can work with. */
export const toValue = (size: number): number => (size < 0 ? -size * BATCH : size);

/** Was the value computed from N or n, so that it is no number to calculate with? */
export const isSymbolic = (value: number): boolean =>
  isBatch(value) || (Number.isInteger(value) && Math.abs(value) >= ROW);

/** A computed value as a size of a Shape. */
export const toSize = (value: number): number => (isBatch(value) ? -(value / BATCH) : value);

/**
 * The shape that Reshape makes of `from`, from its computed target: 0 copies a size (unless allowZero), -1 takes what is
 * left. `hard` is the batch that the file was written for, where it is written out as a number instead of N.
 */
export function reshaped(
  from: Shape,
  target: readonly number[],
  { hard, allowZero = false }: { hard?: number; allowZero?: boolean },
): Shape {
  const wrong = (): TesseraeError =>
    new TesseraeError("shape", `cannot reshape ${showShape(from)} to ${showShape(target.map(toSize))}`);
  const values = target.map((d, i) => (d === 0 && !allowZero ? toValue(from[i] ?? 0) : d));
  const symbolic = values.some(isBatch);
  const written = hard !== undefined && !symbolic && from.some((d) => d < 0) && !copiesBatch(from, target, allowZero);
  const total = sizeOf(from.map((d) => (written && d < 0 ? -d * (hard as number) : toValue(d))));
  const known = sizeOf(values.filter((d) => d !== -1));
  const whole = values.map((d) => (d === -1 ? total / known : d));
  if (sizeOf(whole) !== total || whole.some((d) => !Number.isInteger(d))) throw wrong();
  const shape = written ? freed(from, whole, hard as number) : whole.map(toSize);
  if (!shape || shape.filter((d) => d < 0).length > 1) throw wrong();
  return shape;
}

const copiesBatch = (from: Shape, target: readonly number[], allowZero: boolean): boolean =>
  !allowZero && target.some((d, i) => d === 0 && from[i] < 0);

/**
 * Where N goes in a shape that was written for a batch of b: to the axis that begins where N's axis begins in row-major
 * order, which is the first one whose outer sizes have the same product.
 */
function freed(from: Shape, to: Shape, b: number): Shape | undefined {
  const outer = sizeOf(
    from.slice(
      0,
      from.findIndex((d) => d < 0),
    ),
  );
  let product = 1;
  for (const [axis, d] of to.entries()) {
    if (product === outer && d % b === 0) return to.map((v, i) => (i === axis ? -v / b : v));
    product *= d;
  }
  return undefined;
}
