import { describe, expect, it } from "vitest";
import "../../ops/index.ts";
import { evaluate } from "../evaluate.ts";
import { program } from "../program.ts";
import { input } from "../tensor.ts";
import { nodesOf } from "../walk.ts";
import { dropDeadTokens } from "./drop-dead-tokens.ts";

const SHAPE = [2, 4, 4, 3];
const image = { shape: SHAPE, data: Float64Array.from({ length: 96 }, (_, i) => Math.sin(i)) };

/** Sizes of what the pass leaves of the ReLUs. */
function relus(y: ReturnType<typeof input>): (readonly number[])[] {
  const { outputs } = dropDeadTokens(program("slices", new Map([["y", y]])));
  const [before] = evaluate([y], new Map([["image", image]]));
  const [after] = evaluate([...outputs.values()], new Map([["image", image]]));
  expect(after).toEqual(before);
  return nodesOf(outputs.values()).flatMap((n) => (n.op === "Relu" ? [n.outputs[0].shape] : []));
}

describe("a slice moves up", () => {
  const x = input("image", "float32", SHAPE);

  it("through a reshape that keeps its axis, alone or as the inner part of another", () => {
    expect(relus(x.relu().reshape([2, 4, 12]).slice(1, 0, 1))).toEqual([[2, 1, 4, 3]]);
    expect(relus(x.reshape([8, 12]).relu().reshape(SHAPE).slice(1, 0, 2))).toEqual([[4, 12]]);
  });

  it("not through one that splits its axis", () => {
    expect(relus(x.relu().reshape([2, 16, 3]).slice(1, 0, 4))).toEqual([SHAPE]);
    expect(relus(x.relu().transpose([0, 2, 1, 3]).reshape([2, 16, 3]).slice(1, 8, 16))).toEqual([SHAPE]);
  });
});
