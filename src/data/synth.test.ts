import { expect, test } from "vitest";
import { drawSynth, planSynth, type SynthItem, synthClasses } from "./synth.ts";

test("the same seed, class and index give the same bytes, and any other gives others", () => {
  const image = drawSynth(1, "star", 5);
  expect(image).toHaveLength(32 * 32 * 3);
  expect(drawSynth(1, "star", 5)).toEqual(image);
  expect(drawSynth(2, "star", 5)).not.toEqual(image);
  expect(drawSynth(1, "ring", 5)).not.toEqual(image);
  expect(drawSynth(1, "star", 6)).not.toEqual(image);
  expect(drawSynth(1, "star", 5, 48)).toHaveLength(48 * 48 * 3);
});

test("classes differ by one image at most, in each split, and no image is in both", () => {
  for (const count of [16, 101, 3000]) {
    const plan = planSynth({ count });
    expect(plan).toHaveLength(count);
    for (const split of ["train", "val"]) {
      const sizes = synthClasses.map((name) => plan.filter((i) => i.split === split && i.class === name).length);
      expect(Math.min(...sizes)).toBeGreaterThan(0);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    }
    expect(new Set(plan.map((i) => `${i.class} ${i.index}`)).size).toBe(count);
  }
});

test("a larger set keeps the smaller one's images in their splits", () => {
  const key = (i: SynthItem): string => `${i.split} ${i.class} ${i.index}`;
  const large = new Set(planSynth({ count: 400 }).map(key));
  expect(planSynth({ count: 80 }).every((item) => large.has(key(item)))).toBe(true);
});

test("bad arguments are refused in one line that says what to do", () => {
  expect(() => planSynth({ count: 15 })).toThrow("synth: cannot make 15 images of 8 classes. Use 16 to 1000000");
  expect(() => planSynth({ count: 100.5 })).toThrow("cannot make 100.5 images");
  expect(() => planSynth({ count: 100, valFraction: 1 })).toThrow("cannot hold out 1. Use a part between 0 and 1");
  expect(() => planSynth({ count: 100, classes: [] })).toThrow("classes");
  expect(() => planSynth({ count: 100, classes: ["star", "star"] })).toThrow("classes must differ");
  expect(() => planSynth({ count: 100, classes: ["blob" as "star"] })).toThrow('no class "blob"');
  expect(() => drawSynth(0, "star", 0, 4)).toThrow("cannot draw at size 4");
  expect(() => drawSynth(0, "blob" as "star", 0)).toThrow('no class "blob"');
  expect(() => drawSynth(0.5, "star", 0)).toThrow("seed");
  expect(() => drawSynth(0, "star", -1)).toThrow("index");
});
