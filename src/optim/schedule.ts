import { TesseraeError } from "../errors.ts";

export interface ScheduleOptions {
  /** Peak learning rate. */
  readonly lr: number;
  /** Steps of the whole schedule, warm-up included. */
  readonly steps: number;
  readonly warmupSteps?: number;
  /** Rate that warm-up starts from; the first step is one increment above it. */
  readonly warmupLr?: number;
  /** Rate at the end. */
  readonly minLr?: number;
}

/** Learning rate at a step (from 0). */
export type Schedule = (step: number) => number;

const shapes: Readonly<Record<string, (progress: number) => number>> = {
  /** Half a cosine from 1 to 0 (Loshchilov and Hutter 2017). */
  cosine: (p) => 0.5 * (1 + Math.cos(Math.PI * p)),
  linear: (p) => 1 - p,
  constant: () => 1,
};

export const scheduleNames = Object.keys(shapes);

/** The rate per step: linear warm-up, then the named shape from lr down to minLr over what is left. */
export function schedule(
  name: string,
  { lr, steps, warmupSteps = 0, warmupLr = 0, minLr = 0 }: ScheduleOptions,
): Schedule {
  const shape = shapes[name];
  if (!shape)
    throw new TesseraeError("usage", `unknown schedule ${name}`, { hint: `Known: ${scheduleNames.join(", ")}` });
  return (step) => {
    if (step < warmupSteps) return warmupLr + ((lr - warmupLr) * (step + 1)) / warmupSteps;
    const progress = Math.min(1, (step - warmupSteps) / Math.max(1, steps - warmupSteps));
    return minLr + (lr - minLr) * shape(progress);
  };
}
