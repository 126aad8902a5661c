import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { evaluate } from "../evaluate.ts";
import { operators, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import { implicitBroadcasts } from "./implicit-broadcasts.ts";

const x = input("x", "float32", [2, 3, 4, 4]);
const mean = input("mean", "float32", [2, 3, 1, 1]);
const opsAfter = (y: Tensor): string[] =>
  operators(implicitBroadcasts(program("p", new Map([["y", y]])))).map(({ op }) => op);

describe("implicit-broadcasts", () => {
  it("leaves an Expand out beside a tensor of the full shape", () => {
    const y = x.add(mean.expand(x.shape));
    expect(opsAfter(y)).toEqual(["Add"]);
    const feeds = new Map([
      ["x", { shape: x.shape, data: Float64Array.from({ length: 96 }, (_, i) => i / 7) }],
      ["mean", { shape: mean.shape, data: Float64Array.of(1, 2, 3, 4, 5, 6) }],
    ]);
    const joined = implicitBroadcasts(program("p", new Map([["y", y]])));
    expect(evaluate([...joined.outputs.values()], feeds)).toEqual(evaluate([y], feeds));
  });

  it("keeps it where nothing else has the shape", () => {
    expect(opsAfter(mean.expand(x.shape).add(mean))).toEqual(["Expand", "Add"]);
    expect(opsAfter(mean.expand(x.shape).exp())).toEqual(["Expand", "Exp"]);
  });
});
