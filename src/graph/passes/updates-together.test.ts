import { describe, expect, it } from "vitest";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { NEXT, operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { updatesTogether } from "./updates-together.ts";
import "../../ops/index.ts";

const lr = input("lr", "float32", []);

/** w' = w - lr · m', m' = 0.9 m + w ⊙ w for weights of these shapes, each with its own decay; a result reads the weights. */
function update(
  shapes: readonly Shape[],
  decay: (i: number) => number = () => 0.9,
): [Program, Map<string, ReturnType<typeof noise>>] {
  const outputs = new Map<string, Tensor>();
  const feeds = new Map([["lr", noise([], 7)]]);
  let loss = lr;
  shapes.forEach((shape, i) => {
    const [w, m] = ["w", "m"].map((name) => input(`${name}${i}`, "float32", shape));
    const moment = m.mul(decay(i)).add(w.mul(w));
    outputs.set(`${NEXT}w${i}`, w.sub(moment.mul(lr)));
    outputs.set(`${NEXT}m${i}`, moment);
    loss = loss.add(w.sum([...shape.keys()]));
    feeds.set(`w${i}`, noise(shape, 2 * i)).set(`m${i}`, noise(shape, 2 * i + 1));
  });
  return [program("step", new Map([["loss", loss], ...outputs])), feeds];
}

const count = (p: Program, op: string): number => operators(p).filter((n) => n.op === op).length;

describe("updates-together", () => {
  it("updates parameters of any shape as one, to the last bit", () => {
    const [plain, feeds] = update([[3], [2, 5], [4, 1, 1, 1]]);
    const together = updatesTogether(plain);
    expect([count(plain, "Sub"), count(together, "Sub")]).toEqual([3, 1]);
    expect([count(together, "Concat"), count(together, "Split")]).toEqual([2, 2]);
    expect([...together.outputs.keys()]).toEqual([...plain.outputs.keys()]);
    const [values, expected] = [together, plain].map((p) => evaluate([...p.outputs.values()], feeds));
    expect(values).toEqual(expected);
  });

  it("keeps apart what is updated otherwise", () => {
    const [plain] = update([[3], [4], [5], [6]], (i) => (i < 2 ? 0.9 : 0.5));
    expect(count(updatesTogether(plain), "Sub")).toBe(2);
  });

  it("leaves large parameters, single numbers and a parameter that is alone", () => {
    const [plain] = update([[2 ** 15 + 1], [2 ** 15 + 2], [1], [1], [3]]);
    expect(updatesTogether(plain)).toBe(plain);
  });

  it("takes no more together than the cache holds", () => {
    const [plain] = update(Array(9).fill([2 ** 15]));
    expect(count(updatesTogether(plain), "Sub")).toBe(3);
  });

  it("leaves what depends on the parameter beside its elements", () => {
    const outputs = [0, 1].map((i): [string, Tensor] => {
      const w = input(`w${i}`, "float32", [4]);
      return [`${NEXT}w${i}`, w.sub(w.div(w.mul(w).sum([0]).sqrt()))];
    });
    const plain = program("step", new Map([["loss", lr], ...outputs]));
    expect(updatesTogether(plain)).toBe(plain);
  });
});
