import type { Schedule } from "../optim/schedule.ts";

/** An exponential ramp of the learning rate (Smith 2017, arXiv:1506.01186, section 3.3). */
export interface Ramp {
  readonly from: number;
  readonly to: number;
  readonly steps: number;
}

/** from · (to / from)^(i / (steps - 1)). */
export const rampOf =
  ({ from, to, steps }: Ramp): Schedule =>
  (i) =>
    from * (to / from) ** (i / Math.max(1, steps - 1));

/** One step of the ramp. */
export interface Trial {
  readonly step: number;
  readonly lr: number;
  readonly loss: number;
  /** Running mean of the losses so far, its beginning corrected for. */
  readonly smoothed: number;
}

const SMOOTHING = 0.98;

/** Takes the losses one by one: m' = 0.98 m + 0.02 loss, divided by 1 - 0.98^n after n of them. */
export class Trials {
  readonly list: Trial[] = [];
  #mean = 0;
  #best = Number.POSITIVE_INFINITY;

  add(lr: number, loss: number): void {
    const step = this.list.length;
    this.#mean = SMOOTHING * this.#mean + (1 - SMOOTHING) * loss;
    const smoothed = this.#mean / (1 - SMOOTHING ** (step + 1));
    this.#best = Math.min(this.#best, smoothed);
    this.list.push({ step, lr, loss, smoothed });
  }

  /** The smoothed loss is above four times its lowest. */
  get diverged(): boolean {
    return this.list.length > 0 && (this.list.at(-1) as Trial).smoothed > 4 * this.#best;
  }
}

/** Rates read off the curve; absent where it never falls. */
export interface Suggestions {
  /** In the middle of the longest stretch of falling losses: fastai's choice. */
  readonly valley?: number;
  /** Where the loss falls fastest with the logarithm of the rate. */
  readonly steep?: number;
  /** A tenth of the rate of the lowest loss. */
  readonly minimum?: number;
}

/** Reads rates off the smoothed curve, whose first tenth and last five points are left out as fastai does. */
export function suggestions(trials: readonly Trial[]): Suggestions {
  const curve = trials.slice(Math.floor(trials.length / 10), trials.length > 20 ? -5 : undefined);
  if (curve.length < 3) return {};
  const losses = curve.map((t) => t.smoothed);
  const valley = valleyOf(losses);
  if (valley === undefined) return {};
  const slopes = losses.slice(1).map((v, i) => (v - losses[i]) / Math.log(curve[i + 1].lr / curve[i].lr));
  return {
    valley: curve[valley].lr,
    steep: curve[indexOfLeast(slopes)].lr,
    minimum: curve[indexOfLeast(losses)].lr / 10,
  };
}

const indexOfLeast = (values: readonly number[]): number =>
  values.reduce((best, v, i) => (v < values[best] ? i : best), 0);

/**
 * The middle of the longest falling subsequence, as if it were the last `length` losses before its end: a third of them
 * and half a third after the first, rounded down as fastai's `valley` rounds. undefined: none falls.
 */
function valleyOf(losses: readonly number[]): number | undefined {
  const length = losses.map(() => 1);
  for (let i = 1; i < losses.length; i++)
    for (let j = 0; j < i; j++) if (losses[i] < losses[j]) length[i] = Math.max(length[i], length[j] + 1);
  const end = length.reduce((best, v, i) => (v > length[best] ? i : best), 0);
  if (length[end] < 2) return undefined;
  const start = Math.max(0, end - length[end]);
  const third = (end - start) / 3;
  return start + Math.floor(third) + Math.floor(third / 2);
}
