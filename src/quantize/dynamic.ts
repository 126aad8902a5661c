import { constantValue } from "../graph/evaluate.ts";
import type { Program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { apply, applyAll, constantData, type Node, type Tensor } from "../graph/tensor.ts";
import { foldConstants } from "./fold.ts";
import { byChannel, products } from "./weights.ts";

/**
 * Linear layers in integers, the scale of their inputs taken as the program runs: y = (q - z)·W · (s·sᵥ) + b. Convolutions
 * stay floats. Nothing has to be calibrated.
 */
export function quantizeDynamic(program: Program, bits: 7 | 8): Program {
  const folded = foldConstants(program);
  const linear = new Set([...products(folded)].filter(({ op }) => op !== "Conv"));
  const seen = new Map<Tensor, readonly Tensor[]>();
  const asBytes = (x: Tensor): readonly Tensor[] => {
    const known = seen.get(x) ?? applyAll("DynamicQuantizeLinear", [x]);
    seen.set(x, known);
    return known;
  };
  return rewrite(folded, (node, [x, , b]) => {
    if (!linear.has(node)) return undefined;
    const [q, scale, zero] = asBytes(x as Tensor);
    const { weight, scales } = inColumns(node, bits);
    const sums = apply("Cast", [apply("MatMulInteger", [q, weight, zero])], { to: "float32" });
    const y = sums.mul(scale.mul(scales));
    return [b ? y.add(b) : y];
  });
}

/** The weight [K, N] and its scales [N], whatever way round the product reads it. */
function inColumns(node: Node, bits: 7 | 8): { weight: Tensor; scales: Tensor } {
  const { weight, scales, axis } = byChannel(node, { bits });
  if (axis === 1) return { weight, scales };
  const [rows, columns] = weight.shape;
  const from = constantValue(weight.node).data;
  const data = new Int8Array(from.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) data[j * rows + i] = from[i * columns + j];
  return { weight: constantData({ dtype: "int8", shape: [columns, rows], data }), scales };
}
