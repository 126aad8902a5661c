import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { grad } from "../../autodiff/grad.ts";
import { sequence } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";
import { productsOfTransposes } from "./products-of-transposes.ts";

/** Queries, keys and values of 2 images, 5 tokens, 3 heads of width 4. */
const given = ["q", "k", "v"].map((name) => input(name, "float32", [2, 5, 3, 4]));
const heads = (t: Tensor): Tensor => t.transpose([0, 2, 1, 3]);

function attention(): Program {
  const [q, k, v] = given.map(heads);
  const attended = heads(q.matmul(k.mT()).softmax().matmul(v));
  const loss = attended.square().sum();
  return program("attention", new Map([attended, ...grad(loss, given)].map((t, i) => [`y${i}`, t])));
}

const random = sequence(3);
const feeds = new Map(
  given.map(({ node, shape }) => [
    node.attrs.name as string,
    { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.next().value - 0.5) },
  ]),
);
const valuesOf = ({ outputs }: Program): number[] =>
  evaluate([...outputs.values()], feeds).flatMap(({ data }) => [...data]);
const turns = (p: Program) =>
  operators(p).filter(({ op, attrs }) => op === "Transpose" && `${attrs.perm}` !== "0,2,1,3");

describe("products-of-transposes", () => {
  const plain = attention();
  const rewritten = productsOfTransposes(plain);

  it("changes no result", () => {
    const expected = valuesOf(plain);
    valuesOf(rewritten).forEach((y, i) => void expect(y).toBeCloseTo(expected[i], 14));
  });

  it("keeps every turn beside a product, apart from the transpose of heads", () => {
    for (const { inputs, outputs, attrs } of turns(rewritten)) {
      expect(attrs.perm).toEqual([0, 2, 1]);
      expect((inputs[0] as Tensor).node.op).not.toBe("Transpose");
      const readers = operators(rewritten).filter((n) => n.inputs.includes(outputs[0]));
      expect(readers.map(({ op }) => op)).toEqual(readers.map(() => "MatMul"));
    }
  });

  it("gives gradients as they lie: no product is turned afterwards", () => {
    const turnedProducts = (p: Program) =>
      turns(p).filter(({ inputs }) => (inputs[0] as Tensor).node.op === "MatMul").length;
    expect([turnedProducts(plain), turnedProducts(rewritten)]).toEqual([1, 0]);
  });

  it("leaves a turned product that something else reads too, and products whose batches differ", () => {
    const [q, k] = given.map(heads);
    const scores = q.matmul(k.mT());
    const shared = program(
      "shared",
      new Map([
        ["y", scores.mT()],
        ["z", scores.softmax()],
      ]),
    );
    expect(operators(productsOfTransposes(shared)).some(({ inputs }) => inputs[0]?.node.op === "Reshape")).toBe(true);
    const one = input("w", "float32", [3, 4, 4]);
    const broadcast = program("broadcast", new Map([["y", q.matmul(one.mT())]]));
    expect(productsOfTransposes(broadcast).outputs).toEqual(broadcast.outputs);
  });
});
