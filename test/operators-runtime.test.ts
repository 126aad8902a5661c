import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { evaluate } from "../src/graph/evaluate.ts";
import { encodeModel } from "../src/graph/onnx.ts";
import { program } from "../src/graph/program.ts";
import { fromDoubles, toDoubles } from "../src/graph/types.ts";
import { createOrtBackend } from "../src/node/ort.ts";
import { type BuiltCase, builtCases } from "../src/ops/cases.ts";
import "../src/ops/index.ts";
import type { Backend } from "../src/runtime/backend.ts";

let backend: Backend;
beforeAll(async () => {
  backend = await createOrtBackend({ threads: 1 });
});
afterAll(() => backend.dispose());

async function runCase({ op, inputs, outputs, feeds }: BuiltCase): Promise<Float64Array[]> {
  const names = outputs.map((_, i) => `y${i}`);
  const model = encodeModel(program(op, new Map(outputs.map((t, i) => [names[i], t]))));
  const session = await backend.load(model, { optimization: "disabled" });
  const values = inputs.flatMap((t, i) => {
    const value = feeds.get(`x${i}`);
    return t && value
      ? [[`x${i}`, { dtype: t.dtype, shape: t.shape, data: fromDoubles(t.dtype, value.data) }] as const]
      : [];
  });
  const results = await session.run(new Map(values));
  await session.dispose();
  return names.map((name) => toDoubles(results.get(name)?.data as Float32Array));
}

describe("the runtime computes what the definitions say", () => {
  it.each(builtCases().map((c) => [c.label, c] as const))("%s", async (_, c) => {
    const expected = evaluate(c.outputs, c.feeds);
    const actual = await runCase(c);
    expected.forEach(({ data }, i) => {
      const scale = data.reduce((a, v) => Math.max(a, Number.isFinite(v) ? Math.abs(v) : 0), 1);
      data.forEach((v, j) => {
        if (Number.isFinite(v)) expect(Math.abs(actual[i][j] - v) / scale).toBeLessThan(2e-6);
        else expect(actual[i][j]).toBe(v);
      });
    });
  });
});
