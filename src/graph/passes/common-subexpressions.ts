import type { Attr } from "../op.ts";
import type { Program } from "../program.ts";
import { rewrite } from "../rewrite.ts";
import { applyAll, type Tensor } from "../tensor.ts";

/** Merges operators of the same kind, inputs and attributes, and small constants of the same value. */
export function commonSubexpressions(program: Program): Program {
  const seen = new Map<string, readonly Tensor[]>();
  return rewrite(program, (node, inputs) => {
    const key = keyOf(node.op, inputs, node.attrs, node.outputs[0]);
    if (key === undefined) return undefined;
    const known = seen.get(key);
    if (known) return known;
    const kept = inputs.every((t, i) => t === node.inputs[i]) ? node.outputs : applyAll(node.op, inputs, node.attrs);
    seen.set(key, kept);
    return kept;
  });
}

function keyOf(
  op: string,
  inputs: readonly (Tensor | undefined)[],
  attrs: Readonly<Record<string, Attr>>,
  first: Tensor,
): string | undefined {
  const parts = [op, first.dtype, ...inputs.map((t) => (t ? `${t.node.id}.${t.index}` : "-"))];
  for (const [name, value] of Object.entries(attrs)) {
    if (value !== null && typeof value === "object" && "data" in value) {
      if (value.data.length > 64) return undefined;
      parts.push(
        `${name}=[${value.shape}]${Array.from(value.data as Float64Array, (v) => (Object.is(v, -0) ? "-0" : v)).join()}`,
      );
    } else parts.push(`${name}=${value}`);
  }
  return parts.join("|");
}
