import type { StepPoint } from "./run.ts";

/** Steps of a whole curve at most: a longer one is averaged. */
export const MOST_STEPS = 1500;

const mean = (values: readonly (number | undefined)[]): number | undefined => {
  const known = values.filter((v) => v !== undefined);
  return known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : undefined;
};

/** Means of as many neighbours as it takes to have at most `most` points. */
export function thinned(steps: readonly StepPoint[], most = MOST_STEPS): StepPoint[] {
  const width = Math.ceil(steps.length / most);
  if (width <= 1) return [...steps];
  return Array.from({ length: Math.ceil(steps.length / width) }, (_, i) => {
    const some = steps.slice(i * width, (i + 1) * width);
    return {
      step: some[some.length - 1].step,
      loss: mean(some.map((s) => s.loss)) as number,
      lr: mean(some.map((s) => s.lr)),
      gradNorm: mean(some.map((s) => s.gradNorm)),
      imagesPerSecond: mean(some.map((s) => s.imagesPerSecond)),
    };
  });
}
