import { describe, expect, it } from "vitest";
import { grad } from "../../autodiff/grad.ts";
import { sequence } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import type { Body } from "../op.ts";
import { operators, type Program, program } from "../program.ts";
import { applyAll, fill, input, type Tensor } from "../tensor.ts";
import { type NdArray, type Shape, sizeOf } from "../types.ts";
import { nodesOf } from "../walk.ts";
import { fuseElementwise } from "./fuse-elementwise.ts";
import { optimize } from "./index.ts";
import { rowKind } from "./row-regions.ts";

const LARGE = 128;
const X: Shape = [12, 4, 2, 3];
const C = X[1];

const perChannel = (name: string): Tensor => input(name, "float32", [C]);

function batchNorm(x: Tensor, name: string): Tensor {
  const given = [perChannel(`${name}.scale`), perChannel(`${name}.bias`), fill(0, [C]), fill(0, [C])];
  return applyAll("BatchNormalization", [x, ...given], { epsilon: 1e-5, training_mode: 1, momentum: 0 })[0];
}

/** A loss, and its gradients in all inputs: names to tensors. */
function withGradients(loss: Tensor, inputs: readonly Tensor[]): Program {
  const gradients = grad(loss, inputs);
  return program("step", new Map([["loss", loss], ...gradients.map((g, i): [string, Tensor] => [`d${i}`, g])]));
}

const w = input("w", "float32", [C, C, 1, 1]);
/** A product: no chain begins at an input of the program. */
const x = input("x", "float32", X).conv(w);

/** Mobile block: convolution, norm, SiLU, squeeze and excitation, residual. */
function mobile(): Program {
  const y = batchNorm(x.conv(w), "a").silu();
  const gate = y.mean([2, 3], true).conv(w).sigmoid();
  const out = batchNorm(y.mul(gate).conv(w), "b").add(x);
  return withGradients(out.square().sum(), [x, w]);
}

/** ConvMixer's order: convolution, GELU, norm, with a residual that the next convolution reads too. */
function mixer(): Program {
  const y = batchNorm(x.conv(w).gelu(), "a").add(x);
  return withGradients(batchNorm(y.conv(w).gelu(), "b").mul(y).sum(), [x, w]);
}

/** Tokens: layer norm, a mask broadcast from [N, 1, 1], sums over tokens. */
function tokens(): Program {
  const t = input("t", "float32", [6, 8, 4]).matmul(input("projection", "float32", [4, 4]));
  const mask = input("mask", "float32", [6, 1, 1]);
  const [y] = applyAll("LayerNormalization", [t, perChannel("scale"), perChannel("bias")], { axis: 2, epsilon: 1e-6 });
  return withGradients(y.gelu().mul(mask).add(t).relu().square().sum(), [t, mask]);
}

/** Values that lead out of a chain through a convolution and back into it. */
function diamond(): Program {
  const a = x.mul(2).add(1);
  const b = a.conv(w).relu();
  return withGradients(a.mul(b).add(b.sigmoid()).mul(a.exp()).sum(), [x, w]);
}

const CASES: Record<string, () => Program> = { mobile, mixer, tokens, diamond };

function values({ inputs, outputs }: Program): NdArray[] {
  const random = sequence(7);
  const feeds = new Map(
    inputs.map(({ node, shape }): [string, NdArray] => [
      node.attrs.name as string,
      { shape, data: Float64Array.from({ length: sizeOf(shape) }, () => random.next().value - 0.4) },
    ]),
  );
  return evaluate([...outputs.values()], feeds);
}

const WITHOUT = ["fuse-elementwise", "affines-in-one"];

const fused = (p: Program): Program => fuseElementwise(optimize(p, { large: LARGE, without: WITHOUT }), LARGE);

/** Elementwise operators and reductions over large tensors, outside any Scan. */
const passes = (p: Program): string[] =>
  operators(p).flatMap((node) =>
    node.op !== "Expand" && rowKind(node) && node.outputs[0].size >= LARGE ? [node.op] : [],
  );

function expectSame(actual: readonly NdArray[], expected: readonly NdArray[]): void {
  actual.forEach(({ shape, data }, i) => {
    expect(shape).toEqual(expected[i].shape);
    data.forEach((v, j) => {
      expect(Math.abs(v - expected[i].data[j])).toBeLessThan(1e-9 * Math.max(1, Math.abs(v)));
    });
  });
}

describe("fuse-elementwise", () => {
  it.each(Object.entries(CASES))("changes no result: %s", (_, build) => {
    const plain = build();
    const chunked = fused(plain);
    expect(operators(chunked).some(({ op }) => op === "Scan")).toBe(true);
    expectSame(values(chunked), values(plain));
  });

  it("leaves no pass over a large tensor between convolutions", () => {
    expect(passes(optimize(mobile(), { large: LARGE, without: WITHOUT })).length).toBeGreaterThan(20);
    // What the residual and the first convolution give to x meets where nothing else is.
    expect(passes(fused(mobile()))).toEqual(["Add"]);
  });

  it("computes an activation's derivative where its gradient is, and keeps nothing for it", () => {
    const bodies = operators(fused(mixer())).flatMap(({ op, attrs }) =>
      op === "Scan" ? [(attrs.body as Body).outputs] : [],
    );
    const has = (outputs: readonly Tensor[], op: string) => nodesOf(outputs).some((n) => n.op === op);
    const forward = bodies.filter((outputs) => has(outputs, "Erf") && !has(outputs, "Exp"));
    expect(forward).toHaveLength(2);
    for (const outputs of forward) expect(outputs.filter((t) => t.rank === 4 && t.shape[2] > 1)).toHaveLength(1);
  });

  it("reads what the forward pass writes for a convolution, instead of computing it again", () => {
    const a = x.mul(2).add(1);
    const loss = a.conv(w).mul(3).sub(a).square().sum();
    const bodies = (p: Program) =>
      operators(fuseElementwise(p, LARGE)).flatMap(({ op, attrs }) =>
        op === "Scan" ? [nodesOf((attrs.body as Body).outputs).map((n) => n.op)] : [],
      );
    const forward = bodies(program("forward", new Map([["loss", loss]])));
    expect(forward.map((ops) => ops.includes("Add"))).toEqual([true, false]);
    // Of another name it is no loss, and nothing is known of what comes late.
    const unknown = bodies(program("unknown", new Map([["y", loss]])));
    expect(unknown.map((ops) => ops.includes("Add"))).toEqual([true, true]);
  });

  it("updates weights and moments in chunks too", () => {
    const [weight, moment] = ["weight", "moment"].map((name) => input(name, "float32", [16, 16]));
    const gradient = weight.matmul(weight);
    const next = moment.mul(0.9).add(gradient.mul(0.1));
    const outputs = new Map([
      ["weight", weight.sub(next.div(next.abs().sqrt().add(1)))],
      ["moment", next],
    ]);
    expect(passes(fuseElementwise(program("update", outputs), LARGE))).toEqual([]);
  });

  it.each(["mobile", "mixer"])("cuts channels where one image fills more than a chunk: %s", (name) => {
    const large = sizeOf(X) / 6; // a chunk is half an image: two of four channels
    const plain = CASES[name]();
    const chunked = fuseElementwise(optimize(plain, { large, without: WITHOUT }), large);
    const entries = operators(chunked).flatMap(({ op, attrs }) =>
      op === "Scan" ? (attrs.body as Body).inputs.map((t) => t.shape.join("x")) : [],
    );
    expect(entries).toContain("1x2x2x3");
    expectSame(values(chunked), values(plain));
  });

  it("keeps what a sum over channels joins as it is, where one image fills more than a chunk", () => {
    const y = x.mul(x).add(1);
    const plain = program(
      "softmax",
      new Map([
        [
          "y",
          y
            .exp()
            .div(y.exp().sum([1], true))
            .conv(w),
        ],
      ]),
    );
    expect(fuseElementwise(plain, sizeOf(X) / 6)).toBe(plain);
    expect(operators(fuseElementwise(plain, sizeOf(X) / 2)).some(({ op }) => op === "Scan")).toBe(true);
  });

  it("leaves small tensors, tokens of a prime number that fill more than a chunk, and programs for any runtime, as they are", () => {
    const plain = mobile();
    expect(fuseElementwise(plain, 10 * sizeOf(X))).toBe(plain);
    const prime = input("t", "float32", [2, 197, 4]).matmul(input("projection", "float32", [4, 4]));
    const gelu = program("gelu", new Map([["y", prime.gelu().matmul(input("w", "float32", [4, 4]))]]));
    expect(fuseElementwise(gelu, 1024)).toBe(gelu); // a quarter of that is a third of the tokens, of which only each alone is a part
    expect(operators(optimize(plain)).some(({ op }) => op === "Scan")).toBe(false);
  });
});
