/** A function to minimise: its value and gradient at a point. */
export type Objective = (x: Float64Array) => Promise<{ value: number; gradient: Float64Array }>;

export interface LbfgsOptions {
  /** Most steps. Default 200. */
  readonly steps?: number;
  /** Pairs of differences that are kept. Default 10. */
  readonly memory?: number;
  /** Ends where the gradient's largest element is below this. Default 1e-5. */
  readonly tolerance?: number;
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
};

/** a + t·b. */
const along = (a: Float64Array, t: number, b: Float64Array): Float64Array => a.map((v, i) => v + t * b[i]);

interface Pair {
  /** Difference of the points. */
  readonly s: Float64Array;
  /** Difference of the gradients. */
  readonly y: Float64Array;
}

/** -H·g, where H approximates the inverse Hessian from the pairs (Nocedal and Wright 2006, algorithm 7.4). */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let q: Float64Array = gradient.slice();
  const weights: number[] = [];
  for (const { s, y } of [...pairs].reverse()) {
    const a = dot(s, q) / dot(s, y);
    weights.push(a);
    q = along(q, -a, y);
  }
  const last = pairs.at(-1);
  if (last) {
    const scale = dot(last.s, last.y) / dot(last.y, last.y);
    q = q.map((v) => v * scale);
  }
  for (const [i, { s, y }] of pairs.entries()) q = along(q, weights[pairs.length - 1 - i] - dot(y, q) / dot(s, y), s);
  return q.map((v) => -v);
}

/** Share of the promised decrease that a step must bring (Armijo). */
const ENOUGH = 1e-4;
const HALVINGS = 25;

/**
 * Minimises a smooth convex function by L-BFGS with a backtracking line search (Nocedal and Wright 2006, section 7.2).
 * Ends at the tolerance, after `steps`, or where the precision of the objective allows no further decrease.
 */
export async function lbfgs(objective: Objective, start: Float64Array, options: LbfgsOptions = {}) {
  const { steps = 200, memory = 10, tolerance = 1e-5 } = options;
  let x: Float64Array = start;
  let { value, gradient } = await objective(x);
  let pairs: Pair[] = [];
  for (let step = 0; step < steps; step++) {
    if (gradient.every((g) => Math.abs(g) < tolerance)) break;
    const d = direction(gradient, pairs);
    const slope = dot(gradient, d);
    // The first step has no curvature to go by: it is one of length 1 at most.
    let t = pairs.length > 0 ? 1 : Math.min(1, 1 / Math.sqrt(dot(gradient, gradient)));
    let next: { x: Float64Array; value: number; gradient: Float64Array } | undefined;
    for (let i = 0; i < HALVINGS && !next; i++, t /= 2) {
      const at = along(x, t, d);
      const found = await objective(at);
      if (found.value <= value + ENOUGH * t * slope) next = { x: at, ...found };
    }
    if (!next) break;
    const pair = { s: along(next.x, -1, x), y: along(next.gradient, -1, gradient) };
    if (dot(pair.s, pair.y) > 1e-12 * dot(pair.y, pair.y)) pairs = [...pairs, pair].slice(-memory);
    ({ x, value, gradient } = next);
  }
  return { x, value };
}
