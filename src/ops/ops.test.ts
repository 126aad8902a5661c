import { describe, expect, it } from "vitest";
import { vjp } from "../autodiff/grad.ts";
import { evaluate } from "../graph/evaluate.ts";
import { opDef } from "../graph/op.ts";
import { input, isDifferentiable, type Tensor } from "../graph/tensor.ts";
import { type NdArray, sameShape } from "../graph/types.ts";
import { type BuiltCase, builtCases, sequence } from "./cases.ts";
import { nd } from "./ndarray.ts";

const cases = builtCases();

describe("type rules agree with evaluation", () => {
  it.each(cases.map((c) => [c.label, c] as const))("%s", (_, { outputs, feeds }) => {
    const values = evaluate(outputs, feeds);
    values.forEach((v, i) => {
      expect(v.shape).toEqual(outputs[i].shape);
    });
  });
});

/** Σ outputs ⊙ cotangents, in doubles. */
function objective(
  { outputs }: BuiltCase,
  feeds: ReadonlyMap<string, NdArray>,
  cotangents: readonly NdArray[],
): number {
  return evaluate(outputs, feeds).reduce(
    (sum, v, i) => sum + v.data.reduce((s, y, j) => s + y * cotangents[i].data[j], 0),
    0,
  );
}

describe("gradient rules agree with central differences", () => {
  const smooth = cases.filter((c) => opDef(c.op).vjp && c.outputs.some(isDifferentiable));
  it.each(smooth.map((c) => [c.label, c] as const))("%s", (_, c) => {
    const random = sequence(7);
    const floats = c.outputs.filter(isDifferentiable);
    // The statistics of normalisation layers carry no cotangent of their own.
    const main = c.op.endsWith("Normalization") ? floats.slice(0, 1) : floats;
    const probe: BuiltCase = { ...c, outputs: main };
    const cotangents = main.map((t) => {
      const v = nd(t.shape);
      for (let i = 0; i < v.data.length; i++) v.data[i] = random.next().value * 2 - 1;
      return v;
    });
    const seeds = main.map((t, i) => input(`dy${i}`, t.dtype, t.shape));
    const wrt = c.inputs.filter((t): t is Tensor => t !== undefined && isDifferentiable(t));
    const feeds = new Map([...c.feeds, ...cotangents.map((v, i) => [`dy${i}`, v] as const)]);
    const gradients = evaluate(vjp(main, seeds, wrt), feeds);
    wrt.forEach((t, k) => {
      expect(sameShape(gradients[k].shape, t.shape)).toBe(true);
      const name = t.node.attrs.name as string;
      const base = c.feeds.get(name) as NdArray;
      if (c.op === "BatchNormalization" && c.outputs.length === 3 && k >= 3) return;
      base.data.forEach((v, i) => {
        const h = 1e-5;
        const at = (x: number) => {
          const data = base.data.slice();
          data[i] = x;
          return objective(probe, new Map(c.feeds).set(name, nd(base.shape, data)), cotangents);
        };
        const difference = (at(v + h) - at(v - h)) / (2 * h);
        expect(gradients[k].data[i]).toBeCloseTo(difference, 6);
      });
    });
  });
});
