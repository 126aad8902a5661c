import type { Augmentation } from "../frame.ts";
import { applyStep, type PolicySettings } from "../policy/operations.ts";
import type { AutoPlan } from "../policy/parse.ts";
import { policies } from "../policy/policies.ts";

/** One of the policy's pairs of operations, each with its probability (Cubuk et al. 2019). */
export const autoAugment: Augmentation<Omit<AutoPlan, "name"> & PolicySettings> = {
  pixels(image, { policy, noise, ...settings }, random) {
    const pairs = policies[policy];
    for (const step of pairs[random.int(pairs.length)]) applyStep(image, step, noise, settings, random);
  },
};
