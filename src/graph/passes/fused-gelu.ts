import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { apply, constant, type Node, type Tensor } from "../tensor.ts";
import { nodesOf, readersOf, readersThrough } from "../walk.ts";

/**
 * GELU by the runtime's own operator, and its gradient without an error function where y = x · Φ(x) is kept anyway (for the
 * weights of the product that reads it): Φ = y / x, for which both get a little more, so that zero gives 1/2:
 *
 *   dx = dy · ((y + ε/2) / (x + ε) + x · exp(ln(1/√2π) - x²/2)),  ε = 10⁻³⁰.
 */
export function fusedGelu(program: Program): Program {
  const readers = readersOf(nodesOf(program.outputs.values()));
  return rewrite(program, (node, inputs) => {
    if (node.outputs[0].dtype !== "float32") return undefined;
    const [x, dy, y] = inputs as readonly Tensor[];
    if (node.op === "Gelu") return [apply("FusedGelu", [x])];
    return node.op === "GeluGrad" && y && isKept(node, readers) ? [gradient(x, dy, y)] : undefined;
  });
}

/** Whether what GELU gave is read by another operator and that one's gradient. */
const isKept = ({ inputs: [, , y] }: Node, readers: ReadonlyMap<Tensor, readonly Node[]>): boolean =>
  readersThrough(y as Tensor, readers).filter(({ op }) => op !== "GeluGrad").length > 1;

function gradient(x: Tensor, dy: Tensor, y: Tensor): Tensor {
  const v = x.mul(Math.SQRT1_2);
  const bell = constant(-0.5 * Math.log(2 * Math.PI), [], x.dtype)
    .sub(v.mul(v))
    .exp();
  const cdf = y.add(EPSILON / 2).div(x.add(EPSILON));
  return dy.mul(cdf.add(x.mul(bell)));
}

/** So small that it changes nothing else: 10⁷ times smaller than the least x whose Φ it would move by a rounding. */
const EPSILON = 1e-30;
