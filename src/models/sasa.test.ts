import { describe, expect, it } from "vitest";
import { evaluate } from "../graph/evaluate.ts";
import { input } from "../graph/tensor.ts";
import { sizeOf } from "../graph/types.ts";
import { slotsOf, Trace, withTrace } from "../nn/module.ts";
import { createModel } from "./index.ts";
import { attentionStem } from "./sasa.ts";
import { statistics } from "./statistics.ts";

describe("parameter counts agree with table 1 of the paper", () => {
  it.each([
    ["sasa_resnet26", 10.3],
    ["sasa_resnet38", 14.1],
    ["sasa_resnet50", 18.0],
  ])("%s: %f million", (name, millions) => {
    for (const stem of ["conv", "attention"]) {
      const { parameters } = statistics(createModel(name, { stem }));
      expect(Math.abs(parameters / 1e6 - millions)).toBeLessThan(0.1);
    }
  });
});

const sum = (n: number, f: (i: number) => number): number =>
  Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b);
const softmax = (x: readonly number[]): number[] => {
  const total = sum(x.length, (i) => Math.exp(x[i]));
  return x.map((v) => Math.exp(v) / total);
};

describe("the attention stem equals section 3.2 in plain loops", () => {
  const [n, chans, height, width, out, heads] = [2, 3, 8, 12, 8, 2];
  const d = out / heads;
  const layer = attentionStem(chans, out, heads);
  const tensors = new Map(
    [...slotsOf(layer), { name: "x", shape: [n, chans, height, width] }].map(({ name, shape }, k) => {
      const value = name.endsWith("running_var") ? () => 1.5 : (i: number) => Math.sin(k + 1.3 * i + 0.2 * i * i);
      return [name, { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => value(i)) }];
    }),
  );
  const at = (name: string, ...index: number[]): number => {
    const { shape, data } = tensors.get(name) as { shape: readonly number[]; data: Float64Array };
    return data[index.reduce((flat, i, axis) => flat * shape[axis] + i, 0)];
  };
  const pixel = (b: number, y: number, z: number, c: number) => at("x", b, c, y, z);
  const project = (row: number, b: number, y: number, z: number) =>
    sum(chans, (c) => at("query_key.weight", row, c) * pixel(b, y, z, c));
  /** Σ_m p(a, b, m) W_V^m x, p of the place in the 4x4 block. */
  const value = (o: number, b: number, y: number, z: number): number => {
    const [row, column] = [y % 4, z % 4];
    const place = (e: number) => at("value.rows", row, 0, e) + at("value.columns", 0, column, e);
    const p = softmax([0, 1, 2, 3].map((m) => sum(out, (e) => place(e) * at("value.mixtures", m, e))));
    return sum(4, (m) => p[m] * sum(chans, (c) => at("value.weight", m, o, c) * pixel(b, y, z, c)));
  };
  const attended = (o: number, b: number, y: number, z: number): number => {
    const h = Math.floor(o / d);
    const block = Array.from({ length: 16 }, (_, i) => [y - (y % 4) + Math.floor(i / 4), z - (z % 4) + (i % 4)]);
    const scores = block.map(([ky, kz]) =>
      sum(d, (e) => {
        const r = e < d / 2 ? at("relative.rows", h, e, ky - y + 3) : at("relative.columns", h, e - d / 2, kz - z + 3);
        return project(h * d + e, b, y, z) * (project(out + h * d + e, b, ky, kz) + r);
      }),
    );
    const probs = softmax(scores);
    return sum(16, (i) => probs[i] * value(o, b, block[i][0], block[i][1]));
  };
  const normalised = (o: number, v: number): number =>
    ((v - at("bn.running_mean", o)) / Math.sqrt(at("bn.running_var", o) + 1e-5)) * at("bn.weight", o) +
    at("bn.bias", o);

  it("attention within blocks, batch norm, 4 x 4 max pool", () => {
    const context = new Trace({ training: false, resolve: (s) => input(s.name, s.dtype, s.shape) });
    const y = withTrace(context, layer, (bound) => bound(input("x", "float32", [n, chans, height, width])));
    expect(y.shape).toEqual([n, out, height / 4, width / 4]);
    const [{ data }] = evaluate([y], tensors);
    data.forEach((v, flat) => {
      const [z, i] = [flat % (width / 4), Math.floor(flat / (width / 4)) % (height / 4)];
      const [o, b] = [Math.floor(flat / 6) % out, Math.floor(flat / (6 * out))];
      const pooled = Array.from({ length: 16 }, (_, k) =>
        normalised(o, attended(o, b, 4 * i + Math.floor(k / 4), 4 * z + (k % 4))),
      );
      expect(v).toBeCloseTo(Math.max(...pooled), 10);
    });
  });
});
