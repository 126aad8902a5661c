import { describe, expect, it } from "vitest";
import type { Subject } from "../../explain/subject.ts";
import { createModel } from "../../models/index.ts";
import { statistics } from "../../models/statistics.ts";
import { affordable, onePerClass } from "./set-sections.ts";

const subject = (name: string) => ({ model: createModel(name) }) as Subject;

describe("sections of the image set", () => {
  it("take as many images as 5,000 GMACs allow, from 8 to a bound", () => {
    const tiny = subject("vit_tiny_patch16_224");
    const { gmacs } = statistics(tiny.model);
    expect(affordable(tiny, 84, 64)).toBe(Math.floor(5000 / (84 * gmacs)));
    expect(affordable(tiny, 84, 16)).toBe(16);
    expect(affordable(subject("vit_base_patch16_224"), 84, 64)).toBe(8);
  });

  it("show a training image of each class, or of some at even distances", () => {
    const samples = [2, 0, 0, 2, 1].map((label, i) => ({ path: `${i}.png`, label }));
    const dataset = { classes: ["a", "b", "c"], samples, root: "." };
    expect(onePerClass(dataset, 9)).toEqual([
      { guess: 0, index: 1 },
      { guess: 1, index: 4 },
      { guess: 2, index: 0 },
    ]);
    expect(onePerClass(dataset, 1)).toEqual([{ guess: 1, index: 4 }]);
  });
});
