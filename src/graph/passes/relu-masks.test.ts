import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { grad } from "../../autodiff/grad.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { apply, input } from "../tensor.ts";
import { reluMasks } from "./relu-masks.ts";

const [x, dy] = ["x", "dy"].map((name) => input(name, "float32", [8]));
const feeds = new Map([
  ["x", { shape: [8], data: Float64Array.of(0, -0, 1.2e-38, -1.2e-38, 0.5, -0.5, 3e38, -3e38) }],
  ["dy", { shape: [8], data: Float64Array.of(1, 2, 3, -4, 5, -6, 7, 8) }],
]);
const opsOf = (p: Program): string[] => operators(p).map(({ op }) => op);
const valuesOf = ({ outputs }: Program): number[] => [...evaluate([...outputs.values()], feeds)[0].data];

describe("relu-masks", () => {
  it("gives relu's gradient by a product, to the last bit from the least normal number on", () => {
    const [dx] = grad(apply("Relu", [x]).mul(dy).sum(), [x]);
    const plain = program("p", new Map([["dx", dx]]));
    const masked = reluMasks(plain);
    expect(opsOf(plain)).toContain("Where");
    expect(opsOf(masked)).not.toContain("Where");
    valuesOf(masked).forEach((v, i) => void expect(v + 0).toBe(valuesOf(plain)[i] + 0));
  });

  it("leaves other choices", () => {
    for (const y of [x.greater(1).where(dy, 0), x.greater(0).where(dy, 1), x.less(0).where(dy, 0)])
      expect(opsOf(reluMasks(program("p", new Map([["y", y]]))))).toContain("Where");
  });
});
