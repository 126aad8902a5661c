import { constantValue } from "../graph/evaluate.ts";
import { toHalves } from "../graph/half.ts";
import type { Program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { apply, applyAll, constantData, type Tensor } from "../graph/tensor.ts";
import { foldConstants, foldNorms } from "./fold.ts";

/** The program in float16, its inputs and outputs still float32. */
export function halfPrecision(program: Program): Program {
  const inputs = new Map<Tensor, Tensor>();
  const half = (t: Tensor | undefined): Tensor | undefined => {
    if (t?.node.op !== "Input" || t.dtype !== "float32") return t;
    const known = inputs.get(t) ?? apply("Cast", [t], { to: "float16" });
    inputs.set(t, known);
    return known;
  };
  const inner = rewrite(foldNorms(foldConstants(program)), (node, mapped) => {
    if (node.op === "Constant") {
      if (node.outputs[0].dtype !== "float32") return undefined;
      const { shape, data } = constantValue(node);
      const value = { dtype: "float16" as const, shape, data: toHalves(Float32Array.from(data)) };
      return [constantData(value, node.attrs.name as string | undefined)];
    }
    const attrs = node.op === "Cast" && node.attrs.to === "float32" ? { ...node.attrs, to: "float16" } : node.attrs;
    return applyAll(node.op, mapped.map(half), attrs);
  });
  const outputs = [...inner.outputs].map(
    ([name, t]) => [name, t.dtype === "float16" ? apply("Cast", [t], { to: "float32" }) : t] as const,
  );
  return { ...inner, outputs: new Map(outputs) };
}
