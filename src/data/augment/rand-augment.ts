import type { Augmentation } from "../frame.ts";
import { applyStep, type OperationName, type PolicySettings } from "../policy/operations.ts";
import type { RandPlan } from "../policy/parse.ts";
import type { Random } from "../random.ts";

/** Some operations of a list, all at one magnitude (Cubuk et al. 2020), as timm draws them. */
export const randAugment: Augmentation<Omit<RandPlan, "name"> & PolicySettings> = {
  pixels(image, { operations, weights, magnitude, layers, p, noise, ...settings }, random) {
    for (const op of chooseOperations(operations, weights, layers, random)) {
      applyStep(image, { op, p, magnitude }, noise, settings, random);
    }
  },
};

/** `count` of the operations: any, or by weight without replacement. */
export function chooseOperations(
  operations: readonly OperationName[],
  weights: readonly number[] | undefined,
  count: number,
  random: Random,
): OperationName[] {
  if (!weights) return Array.from({ length: count }, () => operations[random.int(operations.length)]);
  const left = [...weights];
  return Array.from({ length: count }, () => {
    let at = random.uniform() * left.reduce((sum, w) => sum + w, 0);
    let chosen = left.findIndex((w) => w > 0 && (at -= w) < 0);
    if (chosen < 0) chosen = left.findLastIndex((w) => w > 0);
    left[chosen] = 0;
    return operations[chosen];
  });
}
