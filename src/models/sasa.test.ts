import { describe, expect, it } from "vitest";
import { createModel } from "./index.ts";
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
