import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { grad } from "../../autodiff/grad.ts";
import { sequence } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { constant, input, type Tensor } from "../tensor.ts";
import { sizeOf } from "../types.ts";
import { maskedSoftmax } from "./masked-softmax.ts";

const [q, k, v] = ["q", "k", "v"].map((name) => input(name, "float32", [4, 3, 2]));
const same = constant([1, 1, 0, 1, 1, 0, 0, 0, 1], [1, 3, 3]);

/** Σ of attention's squares with same pixels kept and the mask on others, and the gradients. */
function attention(mask: number): Program {
  const bias = input("bias", "float32", [3, 3]).add(same.sub(1).mul(-mask));
  const scores = q.matmul(k.mT()).reshape([2, 2, 3, 3]).add(bias).reshape([4, 3, 3]);
  const loss = scores.softmax().matmul(v).square().sum();
  return program("p", new Map([loss, ...grad(loss, [q, k, v])].map((t, i) => [`y${i}`, t])));
}

const random = sequence(2);
const feeds = new Map(
  [q, k, v, input("bias", "float32", [3, 3])].map(({ node, shape }) => [
    node.attrs.name as string,
    { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.next().value - 0.5) },
  ]),
);
const valuesOf = ({ outputs }: Program): number[] =>
  evaluate([...outputs.values()], feeds).flatMap(({ data }) => [...data]);
const count = (p: Program): number => operators(p).length;

/** What products read as probabilities. */
const factors = (p: Program): Tensor[] =>
  operators(p).flatMap(({ op, inputs }) => (op === "MatMul" ? (inputs as Tensor[]) : []));

describe("masked-softmax", () => {
  it("gives probabilities behind a mask of -100 a floor that changes no result", () => {
    const plain = attention(-100);
    const floored = maskedSoftmax(plain);
    expect(count(floored)).toBe(count(plain) + 1);
    expect(factors(plain).some(({ node }) => node.op === "Softmax")).toBe(true);
    expect(factors(floored).some(({ node }) => node.op === "Softmax")).toBe(false);
    const expected = valuesOf(plain);
    valuesOf(floored).forEach((y, i) => void expect(y).toBeCloseTo(expected[i], 14));
  });

  it("leaves masks that make zeros, and a softmax without one", () => {
    for (const mask of [-1e9, 0]) expect(count(maskedSoftmax(attention(mask)))).toBe(count(attention(mask)));
  });
});
