import { TesseraeError } from "../errors.ts";
import type { Size } from "../nn/size.ts";
import { linearRates } from "./model.ts";

/** Checks options that hold one positive number a stage, whole unless named in `fractional`. */
export function checkPerStage(
  options: Readonly<Record<string, unknown>>,
  stages: number,
  fractional: readonly string[] = [],
): void {
  for (const [key, value] of Object.entries(options)) {
    const fits = (v: unknown) => typeof v === "number" && v > 0 && (Number.isInteger(v) || fractional.includes(key));
    if (!Array.isArray(value) || value.length !== stages || !value.every(fits))
      throw new TesseraeError(
        "usage",
        `option ${key} takes ${stages} positive ${fractional.includes(key) ? "" : "whole "}numbers, one a stage, not ${JSON.stringify(value)}`,
      );
  }
}

/** Throws TesseraeError("usage") naming the nearest size that fits, where an image is no multiple of `unit`. */
export function checkMultiple(image: Size, unit: number): void {
  if (image.every((s) => s % unit === 0)) return;
  const nearest = image.map((s) => Math.max(1, Math.round(s / unit)) * unit);
  throw new TesseraeError("usage", `image size ${image.join("x")} is not a multiple of ${unit}`, {
    hint: `The nearest that fits is ${nearest.join("x")}`,
  });
}

/** Drop-path rates that grow linearly over all blocks, by stage. */
export function stageRates(last: number, depths: readonly number[]): number[][] {
  const rates = linearRates(
    last,
    depths.reduce((a, b) => a + b, 0),
  );
  let at = 0;
  return depths.map((depth) => rates.slice(at, (at += depth)));
}
