import { encodeModel } from "../graph/onnx.ts";
import { type Program, program } from "../graph/program.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import type { TensorData } from "../graph/types.ts";
import { nodesOf } from "../graph/walk.ts";
import type { Backend, State, Tensors } from "../runtime/backend.ts";

/** 1 where a tensor holds a NaN or an infinity, else 0; shape [1]. */
const flag = (t: Tensor): Tensor =>
  t
    .sub(t) // NaN for NaN and for infinities
    .isNaN()
    .cast("float32")
    .reshape([t.size])
    .amax([0], true);

/** Where a tensor comes from, for a person: an input's name, or module path and operator. */
function origin(t: Tensor): string {
  const { op, attrs, scope } = t.node;
  if (op === "Input") return String(attrs.name);
  return scope ? `${scope} (${op})` : op;
}

/**
 * Replays a training step on the state it started from and names the first tensor, in order of computation, that
 * is not finite; undefined where all are.
 */
export async function firstNonFinite(
  step: Program,
  backend: Backend,
  state: State,
  feeds: Tensors,
): Promise<string | undefined> {
  const tensors = nodesOf(step.outputs.values())
    .flatMap((node) => (node.op === "Constant" ? [] : node.outputs))
    .filter((t) => t.dtype === "float32");
  const flags = concat(tensors.map(flag), 0);
  const session = await backend.load(encodeModel(program("diagnosis", new Map([["flags", flags]]))), {
    optimization: "disabled",
  });
  const outputs = await session.run(feeds, { state });
  await session.dispose();
  const found = ((outputs.get("flags") as TensorData).data as Float32Array).findIndex((v) => v !== 0);
  return found < 0 ? undefined : origin(tensors[found]);
}
