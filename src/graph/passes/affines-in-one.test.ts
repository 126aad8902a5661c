import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { sequence } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import type { Body } from "../op.ts";
import { operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../types.ts";
import { nodesOf } from "../walk.ts";
import { affinesInOne } from "./affines-in-one.ts";
import { fuseElementwise } from "./fuse-elementwise.ts";

const X: Shape = [4, 6, 2, 3];
const VECTOR: Shape = [1, X[1], 1, 1];
const x = input("x", "float32", X);
const r = input("r", "float32", X);
const [a, b, m] = ["a", "b", "m"].map((name) => input(name, "float32", VECTOR));

const of = (...outputs: readonly Tensor[]): Program => program("p", new Map(outputs.map((t, i) => [`y${i}`, t])));

function values({ outputs }: Program): NdArray[] {
  const random = sequence(3);
  const feeds = new Map(
    [x, r, a, b, m].map(({ node, shape }): [string, NdArray] => [
      node.attrs.name as string,
      { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.next().value - 0.4) },
    ]),
  );
  return evaluate([...outputs.values()], feeds);
}

function expectSame(actual: Program, expected: Program): void {
  const wanted = values(expected);
  values(actual).forEach(({ shape, data }, i) => {
    expect(shape).toEqual(wanted[i].shape);
    data.forEach((v, j) => void expect(v).toBeCloseTo(wanted[i].data[j], 12));
  });
}

const opsOf = (outputs: Iterable<Tensor>): string[] =>
  nodesOf(outputs).flatMap(({ op }) => (["Input", "Constant", "Reshape"].includes(op) ? [] : [op]));
const bodyOf = (p: Program): Body => operators(p).find(({ op }) => op === "Scan")?.attrs.body as Body;

const CHAINS: Record<string, readonly [Tensor, readonly string[]]> = {
  "(x - m) a + b": [x.sub(m).mul(a).add(b), ["BatchNormalization"]],
  "b + a (x - m)": [b.add(a.mul(x.sub(m))), ["BatchNormalization"]],
  "(r + (x - m) a) + b": [r.add(x.sub(m).mul(a)).add(b), ["BatchNormalization", "Add"]],
};

describe("affines-in-one", () => {
  it.each(Object.entries(CHAINS))("makes one operator of %s", (_, [y, ops]) => {
    const plain = of(y);
    const joined = affinesInOne(plain);
    expect(opsOf(joined.outputs.values())).toEqual(ops);
    expectSame(joined, plain);
  });

  it.each([
    ["parts of the batch", 144],
    ["parts of the channels", 48],
  ])("reaches into chunks that are %s", (_, large) => {
    const plain = fuseElementwise(of(r.mul(2).add(x.sub(m).mul(a)).add(b).relu()), large);
    const joined = affinesInOne(plain);
    const { inputs, outputs } = bodyOf(joined);
    expect(opsOf(outputs).sort()).toEqual(["Add", "BatchNormalization", "Mul", "Relu"]);
    expect(inputs.filter(({ rank }) => rank === 1)).toHaveLength(3);
    expectSame(joined, plain);
  });

  it("gives a vector in both shapes where another operator reads it too", () => {
    const plain = fuseElementwise(of(x.sub(m).mul(a).add(b).mul(b)), 144);
    const joined = affinesInOne(plain);
    expect(bodyOf(joined).inputs).toHaveLength(5);
    expectSame(joined, plain);
  });

  it("leaves what is read elsewhere, has no mean, or does not run along channels", () => {
    const product = x.sub(m).mul(a);
    const image = input("m", "float32", [4, 1, 1, 1]);
    for (const p of [of(product, product.add(b)), of(x.mul(a).add(b)), of(x.sub(image).mul(a).add(b))])
      expect(opsOf(affinesInOne(p).outputs.values())).toEqual(opsOf(p.outputs.values()));
  });
});
