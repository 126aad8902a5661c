import { expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { constant } from "../graph/tensor.ts";
import { Trace, withTrace } from "./module.ts";
import { groupNorm } from "./norm.ts";

it("group norm shares mean and variance among the channels of a group of one image", () => {
  const [n, c, size, groups] = [2, 6, 4, 3];
  const x = Float64Array.from({ length: n * c * size }, (_, i) => Math.sin(i * i) + 0.1 * i);
  const scale = (i: number) => 1 + i / 10;
  const slot = (f: (i: number) => number) =>
    constant(
      Array.from({ length: c }, (_, i) => f(i)),
      [c],
    );
  const resolve = ({ name }: { name: string }) => slot(name === "weight" ? scale : (i) => i);
  const trace = new Trace({ training: true, resolve });
  const y = withTrace(trace, groupNorm(c, { groups, epsilon: 1e-3 }), (norm) => norm(constant(x, [n, c, 2, 2])));
  const per = (c / groups) * size;
  evaluate([y])[0].data.forEach((v, i) => {
    const group = x.subarray(Math.floor(i / per) * per, (Math.floor(i / per) + 1) * per);
    const mean = group.reduce((a, b) => a + b, 0) / per;
    const variance = group.reduce((a, b) => a + (b - mean) ** 2, 0) / per;
    const channel = Math.floor(i / size) % c;
    expect(v).toBeCloseTo(((x[i] - mean) / Math.sqrt(variance + 1e-3)) * scale(channel) + channel, 9);
  });
});
