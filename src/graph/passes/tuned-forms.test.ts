import { describe, expect, it } from "vitest";
import { noise } from "../../ops/cases.ts";
import "../../ops/index.ts";
import { evaluate } from "../evaluate.ts";
import { type Program, program } from "../program.ts";
import { apply, input } from "../tensor.ts";
import { optimize } from "./index.ts";
import type { Tunable } from "./tuned-forms.ts";

const X = [2, 3, 6, 5];
const DY = [2, 4, 3, 3];
const attrs = { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] };
const feeds = new Map([
  ["x", noise(X, 1)],
  ["dy", noise(DY, 2)],
]);

const build = (more: object = {}): Program => {
  const [x, dy] = [input("x", "float32", X), input("dy", "float32", DY)];
  return program("gradient", new Map([["dw", apply("ConvWeightGrad", [x, dy], { ...attrs, ...more })]]));
};

const computed = (p: Program) => evaluate([...p.outputs.values()], feeds)[0];
const operatorOf = (p: Program) => [...p.outputs.values()][0].node;

function asked(p: Program): Tunable[] {
  const all: Tunable[] = [];
  optimize(p, { form: (tunable) => void all.push(tunable) });
  return all;
}

describe("tuned-forms", () => {
  it("asks for each operator that has forms, with its shapes and attributes", () => {
    const [{ key, forms }] = asked(build());
    expect(key).toBe("ConvWeightGrad 2x3x6x5 2x4x3x3 kernel_shape 3,3 pads 1,1,1,1 strides 2,2");
    expect(forms).toEqual(["patches", "productPerTap", "productPerRow", "phases"]);
  });

  it("tells operators apart by their attributes", () => {
    expect(asked(build({ dilations: [1, 1] }))[0].key).not.toBe(asked(build())[0].key);
  });

  it.each(["patches", "productPerTap", "productPerRow", "phases"])("%s gives what the operator does", (name) => {
    const tuned = optimize(build(), { form: () => name });
    const [value, expected] = [computed(tuned), computed(build())];
    expect(value.shape).toEqual(expected.shape);
    value.data.forEach((v, i) => void expect(v).toBeCloseTo(expected.data[i], 12));
  });

  it("writes different programs for different forms", () => {
    const programs = ["productPerTap", "phases"].map((name) => operatorOf(optimize(build(), { form: () => name })));
    expect(programs[0].inputs.length === programs[1].inputs.length && programs[0].op === programs[1].op).toBe(false);
  });

  it.each([undefined, "none of its forms", "constructor"])("leaves the rule's form for %s", (name) => {
    const opOf = (p: Program) => operatorOf(p).op;
    expect(opOf(optimize(build(), { form: () => name }))).toBe(opOf(optimize(build())));
  });

  it("can be left out", () => {
    const choose = () => {
      throw new Error("asked");
    };
    expect(() => optimize(build(), { form: choose, without: ["tuned-forms"] })).not.toThrow();
  });
});
