import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { grad } from "../../autodiff/grad.ts";
import { sequence } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";
import { poolBeforeRelu } from "./pool-before-relu.ts";

const x = input("x", "float32", [2, 3, 7, 6]);
const pooled = x.relu().maxPool({ kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
const weights = input("weights", "float32", pooled.shape);

const random = sequence(5);
const numbers = (t: Tensor) => ({
  shape: t.shape,
  data: Float64Array.from({ length: sizeOf(t.shape) }, () => random.next().value - 0.7),
});
const feeds = new Map([
  ["x", numbers(x)],
  ["weights", numbers(weights)],
]);

const forward = program("p", new Map([["y", pooled]]));
/** y, and the gradient of a sum of y in x. */
function valuesOf({ outputs }: Program): Float64Array[] {
  const y = outputs.get("y") as Tensor;
  return evaluate([y, ...grad(y.mul(weights).sum(), [x])], feeds).map(({ data }) => data);
}

describe("pool-before-relu", () => {
  it("changes neither values nor gradients, also in windows with nothing above zero", () => {
    const [y, dx] = valuesOf(forward);
    expect(y.some((v) => v === 0) && y.some((v) => v > 0)).toBe(true);
    expect(valuesOf(poolBeforeRelu(forward))).toEqual([y, dx]);
  });

  it("leaves an activation that others read", () => {
    const opsOf = (p: Program) => operators(poolBeforeRelu(p)).map(({ op }) => op);
    expect(opsOf(forward)).toEqual(["MaxPool", "Relu"]);
    const shared = x.relu();
    const both = program(
      "p",
      new Map([
        ["y", shared.maxPool({ kernel_shape: [2, 2], strides: [2, 2] })],
        ["x", shared],
      ]),
    );
    expect(opsOf(both)).toEqual(["Relu", "MaxPool"]);
  });
});
