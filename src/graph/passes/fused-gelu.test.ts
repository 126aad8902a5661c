import { describe, expect, it } from "vitest";
import { vjp } from "../../autodiff/grad.ts";
import { noise } from "../../ops/cases.ts";
import { evaluate } from "../evaluate.ts";
import { operators, type Program, program } from "../program.ts";
import { input, type Tensor } from "../tensor.ts";
import { decompose } from "./decompose.ts";
import { fusedGelu } from "./fused-gelu.ts";
import "../../ops/index.ts";

const [x, w, dz] = [input("x", "float32", [4, 3]), input("w", "float32", [3, 2]), input("dz", "float32", [4, 2])];
const feeds = new Map([
  // zero, and values on either side of it that are smaller than what is added to both sides of the quotient
  ["x", { shape: [4, 3], data: Float64Array.of(0, -0, 1e-31, -2e-31, 1e-20, -1e-20, 0.5, -0.5, 3, -3, 6, -6) }],
  ["w", noise([3, 2], 1)],
  ["dz", noise([4, 2], 2)],
]);

/** GELU and a product, with the gradients of the tensors given. */
function gradients(wrt: readonly Tensor[]): Program {
  const z = x.gelu().matmul(w);
  const grads = vjp([z], [dz], wrt);
  return program("gradients", new Map([["z", z], ...grads.map((g, i) => [`d${i}`, g] as const)]));
}

const opsOf = (p: Program): Set<string> => new Set(operators(p).map(({ op }) => op));
const valuesOf = (p: Program) => evaluate([...p.outputs.values()], feeds);

describe("fused-gelu", () => {
  it("takes the gradient from what GELU gave where the product's weights need that too", () => {
    const plain = decompose(gradients([x, w]));
    const fused = decompose(fusedGelu(gradients([x, w])));
    expect(opsOf(plain)).toContain("Erf");
    expect(opsOf(fused)).not.toContain("Erf");
    expect(opsOf(fused)).toContain("FusedGelu");
    const [actual, expected] = [fused, plain].map(valuesOf);
    actual.forEach(({ data }, o) => {
      data.forEach((v, i) => void expect(v, `${o}[${i}]`).toBeCloseTo(expected[o].data[i], 12));
    });
  });

  it("keeps nothing for the gradient that is not kept anyway", () => {
    const fused = fusedGelu(gradients([x]));
    const given = operators(fused).filter(({ op }) => op === "FusedGelu");
    const readers = operators(fused).filter((n) => n.inputs.some((t) => t && given.includes(t.node)));
    expect(readers.map(({ op }) => op)).not.toContain("Add");
    expect(opsOf(decompose(fused))).toContain("Erf");
  });
});
