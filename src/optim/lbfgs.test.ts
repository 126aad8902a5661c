import { expect, it } from "vitest";
import { lbfgs } from "./lbfgs.ts";

it("finds the least of a badly scaled quadratic and of a logistic loss with decay", async () => {
  const scales = [1e3, 1, 1e-2];
  const quadratic = async (x: Float64Array) => ({
    value: x.reduce((sum, v, i) => sum + 0.5 * scales[i] * (v - i) ** 2, 0),
    gradient: x.map((v, i) => scales[i] * (v - i)),
  });
  const { x } = await lbfgs(quadratic, Float64Array.of(5, -5, 50), { tolerance: 1e-9 });
  for (const [i, v] of x.entries()) expect(v).toBeCloseTo(i, 5);
  // log(1 + exp(-w)) + w² / 2 is least where w = 1 / (1 + exp(w)).
  const logistic = async ([w]: Float64Array) => ({
    value: Math.log1p(Math.exp(-w)) + w * w * 0.5,
    gradient: Float64Array.of(w - 1 / (1 + Math.exp(w))),
  });
  const [w] = (await lbfgs(logistic, Float64Array.of(0), { tolerance: 1e-10 })).x;
  expect(w).toBeCloseTo(1 / (1 + Math.exp(w)), 8);
});
