import { describe, expect, it } from "vitest";
import "../ops/index.ts";
import { constantValue, evaluate } from "../graph/evaluate.ts";
import { apply, constant, type Tensor } from "../graph/tensor.ts";
import { byChannel, meanShift } from "./weights.ts";

const numbers = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(phase + 7 * i));

const MEANS = numbers(4, 1);
const PIXELS = constant(
  MEANS.flatMap((m) => Array<number>(9).fill(m)),
  [1, 4, 3, 3],
);

/** A product of an input that is its mean everywhere. */
const CASES: Readonly<Record<string, (w: (shape: readonly number[]) => Tensor) => Tensor>> = {
  "a convolution": (w) => apply("Conv", [constant(MEANS, [1, 4, 1, 1]), w([6, 4, 1, 1])], { group: 1 }),
  "a grouped convolution": (w) => apply("Conv", [PIXELS, w([6, 2, 3, 3])], { group: 2 }),
  "a depthwise convolution": (w) => apply("Conv", [PIXELS, w([4, 1, 3, 3])], { group: 4 }),
  "a matrix product": (w) => apply("MatMul", [constant(MEANS, [1, 4]), w([4, 5])]),
  "a transposed one": (w) => apply("Gemm", [constant(MEANS, [1, 4]), w([5, 4])], { transB: 1 }),
};

describe("what rounding a weight adds on average is known by output channel", () => {
  it.each(Object.entries(CASES))("for %s", (_, product) => {
    const exact = product((shape) =>
      constant(
        numbers(
          shape.reduce((a, b) => a * b),
          2,
        ),
        shape,
      ),
    );
    const made = byChannel(exact.node, { bits: 7 });
    const { data } = constantValue(made.weight.node);
    const steps = constantValue(made.scales.node).data;
    const rounded = product((shape) => {
      const inner = shape.slice(made.axis + 1).reduce((a, b) => a * b, 1);
      return constant(
        Array.from(data, (v, i) => v * steps[Math.floor(i / inner) % shape[made.axis]]),
        shape,
      );
    });
    const [a, b] = evaluate([rounded, exact], new Map());
    const shift = meanShift(exact.node, made, Float64Array.from(MEANS));
    expect(Math.max(...shift.map(Math.abs))).toBeGreaterThan(1e-4);
    shift.forEach((v, o) => {
      expect(v).toBeCloseTo(a.data[o] - b.data[o], 6);
    });
  });
});
