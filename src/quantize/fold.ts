import { constantValue } from "../graph/evaluate.ts";
import { opDef } from "../graph/op.ts";
import type { Program } from "../graph/program.ts";
import { rewrite } from "../graph/rewrite.ts";
import { applyAll, constantData, type Node, type Tensor } from "../graph/tensor.ts";
import { fromDoubles, type NdArray } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";

export const isConstant = (t: Tensor | undefined): t is Tensor => t?.node.op === "Constant";

/** How often each tensor is read, as an input or as an output of the program. */
export function readersOf({ outputs }: Program): Map<Tensor, Node[]> {
  const readers = new Map<Tensor, Node[]>();
  for (const node of nodesOf(outputs.values()))
    for (const t of node.inputs) if (t) readers.set(t, [...(readers.get(t) ?? []), node]);
  for (const t of outputs.values()) readers.set(t, [...(readers.get(t) ?? []), t.node]);
  return readers;
}

/** Operators of constants alone, computed. */
export const foldConstants = (program: Program): Program =>
  rewrite(program, (node, inputs) => {
    const foldable = node.op !== "Constant" && inputs.length > 0 && inputs.every((t) => !t || isConstant(t));
    if (!foldable) return undefined;
    const values = inputs.map((t) => t && constantValue(t.node)) as NdArray[];
    const result = opDef(node.op).evaluate(values, node.attrs, inputs as Tensor[]);
    const all = Array.isArray(result) ? result : [result as NdArray];
    return node.outputs.map(({ dtype }, i) =>
      constantData({ dtype, shape: all[i].shape, data: fromDoubles(dtype, all[i].data) }),
    );
  });

/**
 * Batch norms with fixed statistics behind a convolution, as part of its weights: w' = w·g, b' = (b - mean)·g + bias with
 * g = scale / √(variance + ε) by output channel, in doubles.
 */
export function foldNorms(program: Program): Program {
  const readers = readersOf(program);
  return rewrite(program, (node, inputs) => {
    const own = node.inputs[0];
    const conv = inputs[0]?.node;
    if (node.op !== "BatchNormalization" || node.attrs.training_mode || conv?.op !== "Conv") return undefined;
    if (!own || readers.get(own)?.length !== 1) return undefined;
    const constants = [...conv.inputs.slice(1), ...inputs.slice(1)];
    if (!constants.every((t) => t === undefined || isConstant(t))) return undefined;
    const [scale, bias, mean, variance] = inputs.slice(1).map((t) => constantValue((t as Tensor).node).data);
    const gain = scale.map((s, c) => s / Math.sqrt(variance[c] + (node.attrs.epsilon as number)));
    const [x, w, b] = conv.inputs as readonly [Tensor, Tensor, Tensor | undefined];
    const kernel = constantValue(w.node);
    const size = kernel.data.length / kernel.shape[0];
    const before = b ? constantValue(b.node).data : new Float64Array(gain.length);
    const float32 = (shape: readonly number[], data: Float64Array): Tensor =>
      constantData({ dtype: "float32", shape, data: Float32Array.from(data) });
    return applyAll(
      "Conv",
      [
        x,
        float32(
          kernel.shape,
          kernel.data.map((v, i) => v * gain[Math.floor(i / size)]),
        ),
        float32(
          [gain.length],
          gain.map((g, c) => (before[c] - mean[c]) * g + bias[c]),
        ),
      ],
      conv.attrs,
    );
  });
}
