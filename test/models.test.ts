import { describe, expect, it } from "vitest";
import { createModel, listModels } from "../src/models/index.ts";
import { statistics } from "../src/models/statistics.ts";
import { hasShared, needsShared, readShared } from "./shared.ts";

const rows = hasShared
  ? readShared("fixtures/models.csv")
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => {
        const [name, size, parameters, gmacs] = line.split(",");
        return { name, size: Number(size), parameters: Number(parameters), gmacs: Number(gmacs) };
      })
  : [];
const known = rows.filter((r) => listModels().includes(r.name));

describe.skipIf(!hasShared)(needsShared("parameters and GMACs equal the table"), () => {
  it("has every model of the table", () => {
    expect(rows.map((r) => r.name).filter((name) => !listModels().includes(name))).toEqual([]);
  });

  it.each(known.map((r) => [r.name, r] as const))("%s", (name, row) => {
    const model = createModel(name);
    const { parameters, gmacs } = statistics(model);
    expect(model.inputShape[1]).toBe(row.size);
    expect(parameters).toBe(row.parameters);
    expect(Math.abs(gmacs / row.gmacs - 1)).toBeLessThan(0.005);
  });
});
