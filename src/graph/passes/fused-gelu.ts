import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { apply, constant, type Node, type Tensor } from "../tensor.ts";
import { nodesOf, readersOf, readersThrough } from "../walk.ts";

/**
 * GELU by the runtime's own operator, and its gradient without an error function where y = x · Φ(x) is kept anyway (for the
 * weights of the product that reads it): Φ = y / x, for which x gets a little more than it has, so that zero gives 1/2:
 *
 *   dx = dy · (y / x + x · exp(ln(1/√2π) - x²/2)),  x := x + 10⁻³⁰.
 */
export function fusedGelu(program: Program): Program {
  const readers = readersOf(nodesOf(program.outputs.values()));
  return rewrite(program, (node, inputs) => {
    const [y] = node.outputs;
    if (y.dtype !== "float32") return undefined;
    const [x, dy, kept] = inputs as readonly Tensor[];
    if (node.op === "Gelu") return [apply("FusedGelu", [isKept(y, readers) ? x.add(EPSILON) : x])];
    const given = node.op === "GeluGrad" ? node.inputs[2] : undefined;
    return given && isKept(given, readers) ? [gradient(x.add(EPSILON), dy, kept)] : undefined;
  });
}

/** Whether what GELU gave is read by its gradient, by another operator and by that one's gradient. */
function isKept(y: Tensor, readers: ReadonlyMap<Tensor, readonly Node[]>): boolean {
  const ops = readersThrough(y, readers).map(({ op }) => op);
  return ops.includes("GeluGrad") && ops.filter((op) => op !== "GeluGrad").length > 1;
}

function gradient(x: Tensor, dy: Tensor, y: Tensor): Tensor {
  const v = x.mul(Math.SQRT1_2);
  const bell = constant(-0.5 * Math.log(2 * Math.PI), [], x.dtype)
    .sub(v.mul(v))
    .exp();
  return dy.mul(y.div(x).add(x.mul(bell)));
}

/** So small that it changes nothing else: 10⁷ times smaller than the least x whose Φ it would move by a rounding. */
const EPSILON = 1e-30;
