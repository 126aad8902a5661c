import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import type { Shape } from "../types.ts";
import { transposesInBlocks } from "./transposes-in-blocks.ts";

const BLOCK = 4;

function rewritten(shape: Shape, of: (x: Tensor) => Tensor): { before: Program; after: Program; same: boolean } {
  const before = program("turns", new Map([["y", of(input("x", "float32", shape))]]));
  const after = transposesInBlocks(before, BLOCK);
  const valuesOf = ({ outputs }: Program) => evaluate([...outputs.values()], new Map([["x", noise(shape, 1)]]))[0];
  const [expected, actual] = [before, after].map(valuesOf);
  return {
    before,
    after,
    same: `${actual.shape}` === `${expected.shape}` && actual.data.every((v, i) => v === expected.data[i]),
  };
}

const opsOf = (p: Program): string[] =>
  operators(p).flatMap(({ op }) => (op === "Reshape" || op === "Relu" || op === "MatMul" ? [] : [op]));
const turn = (perm: readonly number[]) => (x: Tensor) => x.transpose(perm).relu();

describe("transposes-in-blocks", () => {
  it.each([
    ["matrices with more columns than rows", [8, 9, 240], [0, 2, 1]],
    ["one matrix", [49, 400], [1, 0]],
    ["rows that fill one pair of lines", [2, 32, 512], [0, 2, 1]],
    ["rows and columns of several axes", [4, 7, 7, 3, 64], [0, 3, 4, 1, 2]],
  ])("turns %s", (_, shape, perm) => {
    const { after, same } = rewritten(shape, turn(perm));
    expect(opsOf(after)).toEqual(["ReorderInput", "ReorderOutput"]);
    expect(same).toBe(true);
  });

  it.each([
    ["more rows than columns", [8, 240, 12], [0, 2, 1]],
    ["rows that fill lines of memory for each thread", [4, 64, 128], [0, 2, 1]],
    ["columns that fill no blocks", [8, 9, 242], [0, 2, 1]],
    ["small tensors", [8, 9, 40], [0, 2, 1]],
    ["axes that are exchanged around others", [9, 8, 240], [2, 1, 0]],
    ["rows that move whole", [9, 8, 240], [1, 0, 2]],
  ])("leaves %s", (_, shape, perm) => {
    const { before, after } = rewritten(shape, turn(perm));
    expect(opsOf(after)).toEqual(opsOf(before));
  });

  it("leaves what a product reads, which turns it itself", () => {
    const { after } = rewritten([8, 9, 240], (x) => x.matmul(x.mT()));
    expect(opsOf(after)).toEqual(["Transpose"]);
  });
});
