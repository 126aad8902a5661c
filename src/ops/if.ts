import { evaluate } from "../graph/evaluate.ts";
import { type Body, defineOp } from "../graph/op.ts";

type IfAttrs = {
  /** What is computed where the condition holds. Its inputs stand for the node's own, without the condition. */
  then_branch: Body;
  /** What is computed elsewhere: outputs of the same types, over the same inputs. */
  else_branch: Body;
};

/** ONNX's If of a bool [] and what its branches read. Written by the pass "updates-in-place". */
defineOp<IfAttrs>("If", {
  type: (_, { then_branch }) => then_branch.outputs.map(({ dtype, shape }) => ({ dtype, shape })),
  evaluate: ([condition, ...x], { then_branch, else_branch }) => {
    const { inputs, outputs } = condition.data[0] ? then_branch : else_branch;
    return evaluate(outputs, new Map(inputs.map((t, i) => [t.node.attrs.name as string, x[i]])));
  },
  check: [],
});
