import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import type { Node, Tensor } from "../tensor.ts";
import { sameShape } from "../types.ts";
import { readOnceFor } from "../walk.ts";

/**
 * Products that read and give matrices as they lie. The runtime takes a matrix turned by the product itself, but it first joins
 * the turn with a transpose before it (heads [N, T, H, d] to keys [N, H, d, T]), which then copies number by number, beside
 * the copy [N, H, T, d] that the gradient needs. With all leading axes as one, [N·H, T, d], nothing is joined.
 * And (A · B)ᵀ, which is what a gradient of turned keys is, becomes Bᵀ · Aᵀ.
 */
export function productsOfTransposes(program: Program): Program {
  const readOnce = readOnceFor(program.outputs.values());
  return rewrite(program, (node, inputs, mapped) => {
    const [x, y] = inputs as readonly Tensor[];
    if (node.op === "MatMul") return inOneBatch(x, y);
    if (!turnsMatrices(node)) return undefined;
    const twice = underTurn(x);
    if (twice) return [twice];
    const product = node.inputs[0] as Tensor;
    if (product.node.op !== "MatMul" || !readOnce(product)) return undefined;
    const [a, b] = (product.node.inputs as Tensor[]).map(mapped).map((t) => underTurn(t) ?? t.mT());
    return inOneBatch(b, a) ?? [b.matmul(a)];
  });
}

/** The product with all leading axes as one, where that keeps a turn apart from another transpose. */
function inOneBatch(a: Tensor, b: Tensor): readonly Tensor[] | undefined {
  const lead = a.shape.slice(0, -2);
  const same = lead.length > 1 && sameShape(lead, b.shape.slice(0, -2));
  if (!same || !(underTurn(a) ?? underTurn(b))) return undefined;
  return [
    withOneBatch(a)
      .matmul(withOneBatch(b))
      .reshape([...lead, a.shape[a.rank - 2], b.shape[b.rank - 1]]),
  ];
}

function withOneBatch(t: Tensor): Tensor {
  const under = underTurn(t);
  const flat = (x: Tensor): Tensor => x.reshape(["infer", ...x.shape.slice(-2)]);
  return under ? flat(under).mT() : flat(t);
}

/** x, where t is xᵀ. */
const underTurn = ({ node }: Tensor): Tensor | undefined => (turnsMatrices(node) ? node.inputs[0] : undefined);

/** Whether the node exchanges the last two axes and no others. */
function turnsMatrices({ op, attrs }: Node): boolean {
  if (op !== "Transpose") return false;
  const perm = attrs.perm as readonly number[];
  const r = perm.length;
  return perm.every((p, i) => p === (i < r - 2 ? i : 2 * r - 3 - i));
}
